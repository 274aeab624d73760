"""%azureml record, replay and stop-recording: a notebook that runs again without a network and without a key."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.http import recording

from ..conftest import KEY


@pytest.fixture(autouse=True)
def _no_cassette_left():
    yield
    recording.use(None)


@pytest.fixture
def recorded(asking, tmp_path, monkeypatch):
    """A notebook that has recorded two answers in tape.jsonl and has no key any more."""
    asking.ok("%azureml record tape.jsonl")
    asking.vars["answers"] = [asking.ok(f"%%azureml\nTell me about {topic}").data for topic in ("rivers", "hills")]
    asking.ok("%azureml stop-recording")
    monkeypatch.delenv("TEST_KEY")
    return asking


def test_record_names_file_and_stop_counts(asking, tmp_path):
    assert asking.ok("%azureml record tape.jsonl").text == (
        "Recording to tape.jsonl, without keys. %azureml stop-recording ends it."
    )
    asking.ok("%%azureml\nHello")
    asking.ok("%%azureml -n 2\nHello")
    assert asking.ok("%azureml stop-recording").text == "Recorded 3 exchanges to tape.jsonl."
    asking.ok("%%azureml\nHello")
    assert len((tmp_path / "tape.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_cassette_has_no_key(asking, tmp_path):
    asking.ok("%azureml record tape.jsonl")
    asking.ok("%%azureml\nHello")
    text = (tmp_path / "tape.jsonl").read_text(encoding="utf-8")
    assert KEY not in text
    assert "uthorization" not in text
    assert "Bearer" not in text


def test_replay_needs_no_network_and_no_key(recorded, endpoint):
    assert recorded.ok("%azureml replay tape.jsonl").text == (
        "Replaying 2 exchanges from tape.jsonl: nothing is sent over the network."
    )
    before = len(endpoint.requests)
    assert recorded.ok("%%azureml\nTell me about hills").data == recorded.vars["answers"][1]
    assert recorded.ok("%%azureml\nTell me about rivers").data == recorded.vars["answers"][0]
    assert len(endpoint.requests) == before


def test_replay_streams_as_recorded(recorded):
    recorded.ok("%azureml replay tape.jsonl")
    ran = recorded.ok("%%azureml\nTell me about rivers")
    assert ran.payloads[0] == ran.payloads[-1] == {"text/markdown": ""}
    assert len(ran.payloads) > 2


def test_request_not_recorded_is_one_line(recorded):
    recorded.ok("%azureml replay tape.jsonl")
    line = recorded.refused("%%azureml\nTell me about lakes")
    assert line.startswith("NotRecordedError: tape.jsonl has no response to this request to /v1/chat/completions: ")
    assert "lakes" in line
    assert line.endswith("Record it (%azureml record FILE), or end the replay (%azureml stop-recording).")
    assert "temperature" in recorded.refused("%%azureml -p temperature=0.3\nTell me about rivers")


def test_endpoint_is_called_after_the_replay(recorded, endpoint, monkeypatch):
    recorded.ok("%azureml replay tape.jsonl")
    assert recorded.ok("%azureml stop-recording").text == "The replay has ended."
    monkeypatch.setenv("TEST_KEY", KEY)
    before = len(endpoint.requests)
    recorded.ok("%%azureml\nTell me about lakes")
    assert len(endpoint.requests) == before + 1


def test_side_by_side_detect_and_chains_are_recorded(asking, endpoint, monkeypatch):
    asking.ok("from azml_magics.langchain import from_config\nfrom azml_magics.session import current")
    asking.ok("from langchain_core.output_parsers import StrOutputParser")
    asking.ok(f"%azureml save dolly --url {endpoint.url}/score --deployment dolly -f dolly --key env:TEST_KEY")
    cells = (
        "%%azureml --compare main,dolly\nAbout rivers",
        "%%azureml --sweep max_tokens=5,6,7\nAbout rivers",
        "%azureml detect dolly",
        "%azureml test",
        "chain = from_config(current().get('main')) | StrOutputParser()",
        "%%azureml $chain\nAbout rivers",
    )
    asking.ok("%azureml record tape.jsonl")
    before = [asking.ok(cell).data for cell in cells]
    monkeypatch.delenv("TEST_KEY")
    went = len(endpoint.requests)
    asking.ok("%azureml replay tape.jsonl")
    assert [asking.ok(cell).data for cell in cells] == before
    assert len(endpoint.requests) == went


def test_replay_does_not_prompt_for_key(recorded, monkeypatch):
    def refused(prompt):
        raise AssertionError("asked for a key")

    monkeypatch.setattr("getpass.getpass", refused)
    recorded.ok("%azureml replay tape.jsonl")
    recorded.ok("%%azureml --key ask\nTell me about rivers")
    assert "rivers" in recorded.ok("%%azureml --key ask -n 2\nTell me about rivers").text


def test_recording_is_continued(recorded, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_KEY", KEY)
    recorded.ok("%azureml record tape.jsonl")
    recorded.ok("%%azureml\nTell me about lakes")
    recorded.ok("%azureml stop-recording")
    assert recorded.ok("%azureml replay tape.jsonl").text.startswith("Replaying 3 exchanges")


def test_stop_without_recording_says_so(asking):
    assert asking.ok("%azureml stop-recording").text == "Nothing was being recorded or replayed."


@pytest.mark.parametrize("verb", ["record tape.jsonl", "replay tape.jsonl"])
def test_unloading_ends_the_recording(recorded, verb):
    recorded.ok(f"%azureml {verb}")
    recorded.ok("%unload_ext azml_magics\n%load_ext azml_magics")
    assert recording.current() is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("replay nowhere.jsonl", "DocumentError: nowhere.jsonl cannot be read: No such file or directory"),
        ("replay other.json", "DocumentError: other.json is not a cassette"),
        ("record other.json", "DocumentError: other.json is not a cassette"),
        ("record .", "DocumentError: . cannot be "),
        ("record", "UsageError: %azureml record: it needs FILE"),
        ("replay", "UsageError: %azureml replay: it needs FILE"),
    ],
)
def test_invalid_record_or_replay_changes_nothing(asking, tmp_path, line, error):
    (tmp_path / "other.json").write_text(json.dumps({"a": 1}))
    assert asking.refused(f"%azureml {line}").startswith(error)
    assert recording.current() is None
    assert (tmp_path / "other.json").read_text() == '{"a": 1}'


def test_stop_recording_ends_the_replay_of_an_empty_cassette(asking):
    asking.ok("%azureml record empty.jsonl")
    asking.ok("%azureml replay empty.jsonl")
    assert asking.ok("%azureml stop-recording").text == "The replay has ended."
    assert asking.ok("%azureml stop-recording").text == "Nothing was being recorded or replayed."

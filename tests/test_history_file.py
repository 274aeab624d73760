"""The history file: exchanges outlive their kernel, no key is in it, and nothing that goes wrong loses an answer."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.config import LLMConfig
from azml_magics.core.embedded_keys import is_secret_name
from azml_magics.core.errors import ConfigError, RateLimitError, SchemaError, UnknownNameError
from azml_magics.core.response import Response, Usage
from azml_magics.core.secret import Secret
from azml_magics.exchange import Exchange
from azml_magics.exchange_data import exchange_from_dict, exchange_to_dict
from azml_magics.history_file import HistoryFile
from azml_magics.session import Session

KEY = "marked-key-0123456789"
PROD = LLMConfig(
    name="prod",
    endpoint_url="https://n.eastus.inference.ml.azure.com/score",
    formatter="gpt2",
    key="env:PROD_KEY",
    model_kwargs={"temperature": 0.17},
)
posix = pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")


def question(text, role="user"):
    return {"role": role, "content": text}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.jsonl"


@pytest.fixture
def said():
    return []


@pytest.fixture
def file(path, said):
    return HistoryFile(path, warn=said.append)


def answered(text="Hi", prompt="Hello", by=PROD, **fields):
    return Exchange(1, by, [question(prompt)], Response(text, **fields))


# ---- exchanges


def test_exchange_comes_back_as_it_was(file):
    first = answered(usage=Usage(1, 2, 3), finish_reason="stop", latency=0.5, format="code", config="prod")
    file.append(first)
    (back,) = file.read()
    assert (back.config, back.messages, back.response) == (first.config, first.messages, first.response)
    assert (back.id, back.recorded_at, back.prompt) == (first.id, first.recorded_at, "Hello")
    assert back.number == 0
    assert back.is_earlier
    assert back.response.format == "code"


def test_failed_exchange_keeps_error_and_partial_text(file):
    error = RateLimitError("Too many requests", remedy="Wait 5 s.", status=429, config="prod", facts={"param": 5})
    file.append(Exchange(3, PROD, [question("Hello")], Response("Hal"), error))
    (back,) = file.read()
    assert str(back.error) == str(error)
    assert (type(back.error), back.error.status, back.error.facts["param"]) == (RateLimitError, 429, 5)
    assert back.response.text == "Hal"
    file.append(Exchange(3, PROD, [question("Hello")], None, KeyError("x")))
    assert str(file.read()[1].error) == "KeyError: 'x'"
    file.append(Exchange(3, PROD, [question("Hello")], None, SchemaError("No")))
    assert type(file.read()[2].error) is SchemaError


def test_numbers_end_at_zero_and_limit_takes_the_newest(file):
    for text in "abcd":
        file.append(answered(text))
    assert [(each.number, each.response.text) for each in file.read()] == [(-3, "a"), (-2, "b"), (-1, "c"), (0, "d")]
    assert [(each.number, each.response.text) for each in file.read(2)] == [(-1, "c"), (0, "d")]
    assert file.read(0) == []


def test_notes_are_merged_into_their_exchange(file):
    first = answered()
    file.append(first)
    file.append_notes(first, {"name": "short", "rating": "bad"})
    file.append_notes(first, {"rating": "good"})
    assert file.read()[0].notes == {"name": "short", "rating": "good"}


def test_formatter_object_and_reasoning_items_are_left_out(file):
    class Mine:
        name = "mine"

        def format_request_payload(self, prompt, kwargs):
            return {}

        def format_response_payload(self, output):
            return ""

    config = LLMConfig(name="own", endpoint_url=PROD.endpoint_url, formatter=Mine())
    messages = [{**question("Hi", "assistant"), "items": [{"secret": 1}]}, question("Go on")]
    file.append(Exchange(1, config, messages, Response("x", items=({"type": "reasoning"},))))
    (back,) = file.read()
    assert back.config.formatter == ""
    assert back.messages == [question("Hi", "assistant"), question("Go on")]
    assert back.response.items == ()


def test_file_that_has_to_be_trusted_is_remembered(file):
    file.append(Exchange(1, PROD.merged(file="/repo/pyproject.toml"), [question("Hi")]))
    assert file.read()[0].config.file == "/repo/pyproject.toml"


def test_pictures_are_left_out_and_long_texts_cut(file, path):
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 50_000}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    file.append(Exchange(1, PROD, [question(parts)], Response("y" * 150_000)))
    (back,) = file.read()
    shown = back.messages[0]["content"]
    assert shown[0] == parts[0]
    assert shown[1]["image_url"]["url"].startswith("data:image/png;base64,AAA")
    assert shown[1]["image_url"]["url"].endswith("… [50,022 characters]")
    assert shown[2] == parts[2]
    assert back.response.text.endswith("… [150,000 characters]")
    assert path.stat().st_size < 110_000


NAMES = st.text(min_size=1).filter(lambda name: not is_secret_name(name))  # a key among the kwargs is refused


@given(
    st.text(),
    st.text(),
    st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.none()),
)
def test_any_text_makes_one_line_that_reads_back(prompt, text, kwargs):
    exchange = answered(text, prompt, PROD.merged(model_kwargs=kwargs))
    line = json.dumps(exchange_to_dict(exchange))
    assert len(line.splitlines()) == 1
    back = exchange_from_dict(json.loads(line))
    assert (back.prompt, back.response.text) == (prompt, text)
    assert repr(dict(back.config.model_kwargs)) == repr(dict(exchange.config.model_kwargs))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["azml_exchange", "id", "name", "config", "messages", "response", "error", "recorded_at", "x"]
                ),
                inner,
            )
        ),
    )
)
def test_any_other_json_is_refused_with_value_error(value):
    with pytest.raises(ValueError):
        exchange_from_dict(value)


# ---- keys


def test_no_key_is_in_the_file(file, path, monkeypatch):
    monkeypatch.setenv("PROD_KEY", KEY)
    file.append(
        Exchange(1, PROD, [question(f"My key is {KEY}")], Response(f"You said {KEY}"), ConfigError(f"No {KEY}"))
    )
    literal = LLMConfig(
        name="typed", endpoint_url=PROD.endpoint_url, key=Secret(KEY), headers={"X-Key": Secret("marked-header-key-1")}
    )
    file.append(Exchange(2, literal, [question(KEY)], Response("marked-header-key-1")))
    file.append_notes(Exchange(2, literal, []), {"note": KEY})
    assert "marked" not in path.read_text()
    assert [each.config.name for each in file.read()] == ["prod", "typed"]


@posix
def test_file_is_readable_by_its_owner_only(file, path, said):
    file.append(answered())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert said == []


# ---- files that are damaged, full, deleted or of another kind


def test_damaged_lines_are_skipped_and_named(file, path, said):
    file.append(answered("a"))
    with path.open("ab") as raw:
        raw.write(b'not json\n[]\n{"azml_exchange":9}\n{"azml_note":1}\n' + b"[" * 100_000 + b"\n\xff\xfe\n\n")
    file.append(answered("b"))
    assert [each.response.text for each in file.read()] == ["a", "b"]
    assert said == [f"The history file {path}: lines 2, 3, 4, 5, 6 and 1 more cannot be read and are skipped."]


def test_half_a_line_does_not_damage_the_next_one(file, path, said):
    file.append(answered("a"))
    with path.open("ab") as raw:
        raw.write(b'{"azml_exchange":1,"id"')
    file.append(answered("b"))
    assert [each.response.text for each in file.read()] == ["a", "b"]
    assert said == [f"The history file {path}: line 2 cannot be read and is skipped."]


def test_file_of_another_kind_is_refused_and_unchanged(path, tmp_path):
    path.write_text('{"cells": []}\n')
    with pytest.raises(ConfigError, match="is not a history file, and it is not changed"):
        HistoryFile(path)
    assert path.read_text() == '{"cells": []}\n'
    with pytest.raises(ConfigError, match="is not a file"):
        HistoryFile(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        HistoryFile(tmp_path / "a\0b")


@posix
def test_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is not a file"):
        HistoryFile(tmp_path / "pipe")


def test_empty_file_and_missing_folder_are_used(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    for path in (tmp_path / "empty.jsonl", tmp_path / "new" / "deeper" / "history.jsonl"):
        file = HistoryFile(path)
        assert file.read() == []
        file.append(answered())
        assert len(file.read()) == 1


def test_full_disk_is_said_once_and_until_it_works_again(file, path, said, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        file.append(answered("a"))
        file.append(answered("b"))
    line = (
        f"The history file {path} cannot be written: No space left on device. The history is kept in this kernel only."
    )
    assert said == [line]
    file.append(answered("c"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        file.append(answered("d"))
    assert said == [line, line]
    assert [each.response.text for each in file.read()] == ["c"]


def test_short_write_is_said_and_the_next_line_is_whole(file, said, monkeypatch):
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:40]))
        file.append(answered("a"))
    assert "the disk is full" in said[0]
    file.append(answered("b"))
    assert [each.response.text for each in file.read()] == ["b"]


def test_deleted_file_is_made_again(file, path):
    file.append(answered("a"))
    path.unlink()
    file.append(answered("b"))
    assert [each.response.text for each in file.read()] == ["b"]


def test_exchange_that_cannot_be_written_loses_no_answer(file, said):
    file.append(Exchange(1, PROD, [{"role": "user", "content": {1, 2}}], Response("a")))
    file.append(Exchange(1, PROD, ["not a message"], Response("b")))
    assert len(file.read()) == 1
    assert len(said) == 1
    assert "cannot be written" in said[0]


# ---- size


def test_full_file_is_rotated_with_a_line(path, said):
    file = HistoryFile(path, max_bytes=2_000, warn=said.append)
    for number in range(12):
        file.append(answered(str(number), "x" * 200))
    assert path.stat().st_size <= 2_000
    older = path.with_name("history.jsonl.1")
    assert said[0] == f"The history file is full: its exchanges are now in {older}, and a new one begins."
    assert said[1].endswith("The file of that name, with still older ones, is deleted.")
    kept = [int(each.response.text) for each in file.read()]
    assert kept == list(range(kept[0], 12))
    assert len(kept) > 4
    assert sorted(found.name for found in path.parent.glob("history*")) == ["history.jsonl", "history.jsonl.1"]
    if os.name != "nt":
        assert stat.S_IMODE(older.stat().st_mode) == 0o600


def test_rotation_by_another_kernel_is_waited_for(path, said):
    file = HistoryFile(path, max_bytes=500, warn=said.append)
    file.append(answered("a", "x" * 400))
    marker = path.with_name("history.jsonl.rotating")
    marker.mkdir()
    file.append(answered("b"))
    assert said == []
    os.utime(marker, (0, 0))  # of a process that was killed
    file.append(answered("c"))
    assert not marker.exists()
    assert [each.response.text for each in file.read()] == ["a", "b", "c"]


def test_kernels_share_one_file(path):
    code = textwrap.dedent(
        """
        import sys
        from azml_magics.core.config import LLMConfig
        from azml_magics.core.response import Response
        from azml_magics.session import Session
        session = Session()
        session.open_history(sys.argv[1])
        for n in range(60):
            session.record(LLMConfig(name="a"), [{"role": "user", "content": "x" * 3000}], Response(f"{sys.argv[2]} {n}"))
        """
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abc"]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    said = []
    texts = [each.response.text for each in HistoryFile(path, warn=said.append).read()]
    assert said == []
    assert sorted(texts) == sorted(f"{name} {n}" for name in "abc" for n in range(60))


# ---- the session


def test_session_restores_the_history_before_its_own(path):
    first = Session()
    first.open_history(path)
    assert first.history_file == path
    first.record(PROD, [question("one")], Response("1"))
    first.record(PROD, [question("two")], Response("2"))
    second = Session(history_size=3)
    own = second.record(PROD, [question("three")], Response("3"))
    assert second.open_history(path) == 2
    assert second.open_history(path) == 0  # it is open
    assert [(each.number, each.prompt) for each in second.history] == [(-1, "one"), (0, "two"), (1, "three")]
    second.record(PROD, [question("four")])
    assert [each.number for each in second.history] == [0, 1, 2]
    assert own.number == 1
    second.close_history()
    second.record(PROD, [question("five")])
    assert second.history_file is None
    assert [each.prompt for each in HistoryFile(path).read()] == ["one", "two", "four"]


def test_session_annotates_an_exchange(path):
    session = Session()
    session.open_history(path)
    exchange = session.record(PROD, [question("one")], Response("1"))
    changes = []
    session.subscribe(changes.append)
    session.annotate(exchange.id, name="short", rating="good")
    session.annotate(exchange.id, rating="bad")
    assert session.history[0].notes == {"name": "short", "rating": "bad"}
    assert [change.kind for change in changes] == ["noted", "noted"]
    later = Session()
    later.open_history(path)
    assert later.history[0].notes == {"name": "short", "rating": "bad"}
    later.annotate(later.history[0].id, rating="good")
    assert HistoryFile(path).read()[0].notes["rating"] == "good"
    with pytest.raises(UnknownNameError, match="no longer contains"):
        session.annotate("0", rating="good")

"""Versions: every run is one, with a name, a rating and a note; two are compared, one is restored, all are exported."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError, UnknownNameError
from azml_magics.core.messages import as_messages
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.emulator import Fault
from azml_magics.history_file import HistoryFile
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.session import Session

URL = "https://n.eastus.inference.ml.azure.com/v1/chat/completions"
PROD = LLMConfig(name="prod", endpoint_url=URL, key="env:RIVER_KEY", system="Be brief.")


@pytest.fixture
def asked(model, session):
    """A panel with three runs of the notebook: cold, hot and failed."""
    session.save("prod", PROD)
    session.record(PROD, as_messages("Name a river.\nOne word.", "Be brief."), Response("Po", latency=1.25))
    hot = PROD.merged(model_kwargs={"temperature": 1, "stop": ["."]})
    session.record(hot, as_messages("Name a lake.\nOne word.", "Be kind."), Response("Como", latency=0.5))
    session.record(PROD, as_messages("Name a sea.", None), error=RateLimitError("Too many"))
    return model


def ids(model):
    """The ids of the versions, oldest first."""
    return [version.id for version in reversed(model.versions.entries())]


def test_every_run_is_a_version_newest_first(asked):
    assert [version.label for version in asked.versions.entries()] == [
        "3 · prod · failed · Name a sea.",
        "2 · prod · 0.5 s · Name a lake. One word.",
        "1 · prod · 1.2 s · Name a river. One word.",
    ]


def test_name_rating_and_note_are_kept_in_the_history(asked, session, watch):
    changes, first = watch(asked), ids(asked)[0]
    asked.versions.set_name(first, " short ")
    asked.versions.rate(first, "good")
    asked.versions.set_note(first, "The one to keep.")
    version = asked.versions.get(first)
    assert (version.name, version.rating, version.note, version.title) == ("short", "good", "The one to keep.", "short")
    assert version.label.startswith("short · good · prod")
    assert {"history"} <= set().union(*changes.parts)
    assert session.history[0].notes["name"] == "short"
    asked.versions.rate(first, "")
    asked.versions.set_name(first, "")
    assert asked.versions.get(first).label.startswith("1 · prod")


@pytest.mark.parametrize("act", ["set_name", "set_note", "rate"])
def test_version_that_is_gone_is_named(asked, act):
    getattr(asked.versions, act)("gone", "good")
    assert asked.notes["run"].text.startswith("The history no longer contains the exchange 'gone'")
    with pytest.raises(UnknownNameError):
        asked.versions.get("gone")


def test_other_rating_is_refused(asked):
    asked.versions.rate(ids(asked)[0], "splendid")
    assert asked.notes["run"].text.startswith("A version is rated good or bad, not 'splendid'")
    assert asked.versions.get(ids(asked)[0]).rating == ""


def test_differences_are_prompt_system_parameters_and_response(asked):
    first, second, failed = ids(asked)
    changed = {each.part: each for each in asked.versions.differences(first, second)}
    assert list(changed) == ["prompt", "system", "temperature", "stop", "response"]
    assert changed["prompt"].lines() == [("-", "Name a river."), ("+", "Name a lake."), (" ", "One word.")]
    assert (changed["temperature"].before, changed["temperature"].after) == ("", "1")
    assert (changed["response"].before, changed["response"].after) == ("Po", "Como")
    assert asked.versions.differences(first, first) == []
    ended = {each.part: each.after for each in asked.versions.differences(first, failed)}
    assert ended["response"].startswith("RateLimitError: Too many")


def test_differences_show_no_key(asked, session, contains_text):
    session.record(PROD.merged(key=Secret("n0t-to-be-shown-0123456789")), as_messages("Name a sea.", None))
    first, last = ids(asked)[0], ids(asked)[-1]
    assert not any("n0t-to-be" in text for each in asked.versions.differences(first, last) for text in each)


def test_restore_and_undo(asked):
    asked.set_prompt("Mine {topic}")
    asked.versions.restore(ids(asked)[1])
    assert (asked.prompt.text, asked.draft.config.system) == ("Name a lake.\nOne word.", "Be kind.")
    assert asked.draft.config.model_kwargs == {"temperature": 1, "stop": ["."]}
    assert (asked.notes["run"].text, asked.result.row.text) == ("Number 2 is shown.", "Como")
    assert asked.versions.can_undo
    asked.versions.undo()
    assert (asked.prompt.text, asked.draft.config.system, asked.versions.can_undo) == (
        "Mine {topic}",
        "Be brief.",
        False,
    )


def test_run_of_the_panel_keeps_its_variables(ready, wait_until_idle):
    ready.set_prompt("Tell me about {topic}")
    ready.set_variable("topic", "lakes")
    ready.runs.run()
    wait_until_idle(ready)
    version = ready.versions.entries()[0]
    assert (version.typed_prompt.text, version.typed_prompt.typed) == ("Tell me about {topic}", {"topic": "lakes"})
    ready.set_variable("topic", "seas")
    ready.runs.run()
    wait_until_idle(ready)
    changed = ready.versions.differences(version.id, ready.versions.entries()[0].id)
    assert ("{topic}", "lakes", "seas") in changed
    assert "prompt" not in [each.part for each in changed]


def test_export_is_json_lines_without_keys(asked, session, tmp_path, monkeypatch):
    monkeypatch.setenv("RIVER_KEY", "r1ver-0123456789abcdef")
    session.record(PROD, as_messages("It is r1ver-0123456789abcdef", None), Response("\ud800"))
    asked.versions.rate(ids(asked)[0], "good")
    path = asked.versions.export(str(tmp_path / "versions.jsonl"))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == ids(asked)
    assert (lines[0]["notes"], lines[0]["response"]["text"]) == ({"rating": "good"}, "Po")
    assert "r1ver-0123456789abcdef" not in path.read_text("utf-8")
    assert asked.notes["run"].text == f"Exported 4 versions to {path}, without keys."
    asked.versions.export(str(tmp_path / "one.jsonl"), [ids(asked)[1]])
    assert len((tmp_path / "one.jsonl").read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "why"), [(" ", "There is no file name"), ("/proc/nowhere/v.jsonl", "cannot be written")]
)
def test_export_that_fails_says_why(asked, path, why):
    assert asked.versions.export(path) is None
    assert why in asked.notes["run"].text


def test_two_hundred_versions_are_listed(asked, session):
    for n in range(300):
        session.record(PROD, as_messages(f"Prompt {n}", None), Response(str(n)))
    labels = [version.label for version in asked.versions.entries()]
    assert (len(labels), labels[0]) == (200, "303 · prod · 0.0 s · Prompt 299")


def test_label_is_one_short_line(asked, session):
    session.record(PROD, as_messages("very " * 50 + "long\nprompt", None))
    asked.versions.set_name(ids(asked)[-1], "long\n" * 50)
    label = asked.versions.entries()[0].label
    assert len(label) < 120
    assert "\n" not in label


# ---- after a restart of the kernel


def restarted(path):
    """A new session and its panel, with the history file."""
    session = Session()
    session.open_history(path)
    return session, PanelModel(session)


def test_versions_and_draft_survive_a_restart(ready, session, wait_until_idle, tmp_path):
    path = tmp_path / "history.jsonl"
    session.open_history(path)
    ready.set_prompt("Tell me about {topic}")
    ready.set_variable("topic", "lakes")
    ready.set("system", "Be kind.")
    ready.set_kwarg("temperature", "0.17")
    ready.runs.run()
    wait_until_idle(ready)
    ready.versions.set_name(ready.versions.entries()[0].id, "kind")
    new_session, panel = restarted(path)
    try:
        assert (panel.prompt.text, panel.prompt.typed) == ("Tell me about {topic}", {"topic": "lakes"})
        assert panel.draft.config.system == "Be kind."
        assert panel.draft.config.model_kwargs == {"temperature": 0.17}
        assert panel.notes["run"].text == "This is the last run before the kernel was restarted."
        assert [version.title for version in panel.versions.entries()] == ["kind"]
        assert not panel.versions.can_undo
        panel.set_prompt("Something else")
        panel.versions.restore(panel.versions.entries()[0].id)
        assert panel.notes["run"].text == "kind is shown."
        assert panel.prompt.text == "Tell me about {topic}"
        assert new_session.active == ""
    finally:
        panel.close()


def test_prompt_of_a_run_cut_off_by_a_restart_is_back(ready, endpoint, wait_until_idle, tmp_path, watch):
    session = ready.session
    path = tmp_path / "history.jsonl"
    session.open_history(path)
    endpoint.script([Fault("slow", seconds=60)])
    ready.set_prompt("Tell me about {topic}")
    ready.set_variable("topic", "lakes")
    ready.set_kwarg("temperature", "0.17")
    changes = watch(ready)
    ready.runs.run()
    changes.until(lambda: len(endpoint.requests) == 1)
    _, panel = restarted(path)
    try:
        assert (panel.prompt.text, panel.prompt.typed) == ("Tell me about {topic}", {"topic": "lakes"})
        assert panel.draft.config.model_kwargs == {"temperature": 0.17}
        assert panel.notes["run"].text.startswith("The kernel was restarted during this run: its answer is lost.")
        assert panel.session.last.is_unfinished
    finally:
        panel.close()
    ready.stop()
    wait_until_idle(ready)
    assert [exchange.is_unfinished for exchange in HistoryFile(path).read()] == [False]


def test_finished_run_stands_in_the_history_file_once(ready, session, wait_until_idle, tmp_path):
    path = tmp_path / "history.jsonl"
    session.open_history(path)
    ready.runs.compare(repeats=2)
    wait_until_idle(ready)
    found = HistoryFile(path).read()
    assert [exchange.is_unfinished for exchange in found] == [False, False]
    assert [exchange.id for exchange in found] == [exchange.id for exchange in session.history]


def test_restart_leaves_another_active_config_alone(asked, session, tmp_path):
    path = tmp_path / "history.jsonl"
    session.open_history(path)
    session.record(PROD, as_messages("Name a bay.", "Be kind."), Response("Bay"))
    later = Session()
    later.save("test", PROD.merged(system="Mine."))
    later.open_history(path)
    panel = PanelModel(later)
    try:
        assert (panel.name, panel.prompt.text, panel.draft.config.system) == ("test", "Name a bay.", "Mine.")
        assert not panel.draft.is_changed
    finally:
        panel.close()


def test_without_a_history_file_the_panel_begins_empty(session):
    session.record(PROD, as_messages("Name a bay.", None), Response("Bay"))
    panel = PanelModel(session)
    try:
        assert (panel.prompt.text, panel.result) == ("", None)
    finally:
        panel.close()

"""The Versions tab: what differs, name, rating, note, restoring, and export, as a user sees them."""

from __future__ import annotations

import json

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError
from azml_magics.core.messages import as_messages
from azml_magics.core.response import Response, Usage
from azml_magics.session import Session

from ..notebook.hostile_server import FORBIDDEN
from ..notebook.hostile_server import HOSTILE as CONTROLS
from .widgets import choose, click, open_panel, set_state, submit, within

CONFIG = LLMConfig(
    endpoint_url="http://127.0.0.1:9/v1/chat/completions", formatter="openai-chat", key="env:PANEL_KEY", name="main"
)
HOT = CONFIG.merged(model_kwargs={"temperature": 1})


@pytest.fixture
def session():
    """A session with two runs of the notebook."""
    session = Session()
    session.save("main", CONFIG)
    facts = {"model": "gpt-5", "usage": Usage(1, 2, 3), "finish_reason": "stop", "latency": 1.2}
    session.record(CONFIG, as_messages("Name a river.\nOne word.", "Be brief."), Response("Po", **facts))
    session.record(HOT, as_messages("Name a lake.\nOne word.", None), Response("Como", latency=0.5))
    return session


@pytest.fixture
def panel(session):
    """A panel over that session, its Versions tab in front."""
    with open_panel(session) as panel:
        open_versions(panel)
        yield panel


def open_versions(panel):
    (tabs,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    set_state(tabs, selected_index=tabs.titles.index("Versions"))


def versions(panel):
    """The list of versions."""
    (found,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Select)]
    return found


def labels(panel):
    return [label for label, _ in versions(panel).options]


def select(panel, at):
    """Select a version by its place in the list; 0 is the newest."""
    choose(versions(panel), versions(panel).options[at][1])


def difference(panel, mime="text/plain"):
    """What is said to differ from the controls."""
    (tabs,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    page = tabs.children[tabs.titles.index("Versions")]
    (shown,) = [each for each in within(page) if isinstance(each, w.Output)]
    return shown.outputs[0]["data"][mime]


def button(panel, name):
    """A button of the tab: the conversation has an Undo, too."""
    (tabs,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
    return panel.find(name, w.Button, at=tabs)


def press(panel, name):
    """Press or release a toggle."""
    toggle = panel.find(name, w.ToggleButton)
    set_state(toggle, value=not toggle.value)


def test_list_is_newest_first_and_the_newest_is_selected(panel):
    assert labels(panel) == ["2 · main · 0.5 s · Name a lake. One word.", "1 · main · 1.2 s · Name a river. One word."]
    assert versions(panel).value == versions(panel).options[0][1]


def test_without_runs_nothing_can_be_done(chat):
    empty = Session()
    empty.save("main", chat)
    with open_panel(empty) as panel:
        open_versions(panel)
        assert difference(panel) == "No version yet: every run becomes one."
        assert all(button(panel, name).disabled for name in ("Restore", "Undo", "Export versions"))
        assert all(panel.find(name).disabled for name in ("Good", "Bad", "Version name", "Note"))


def test_selected_version_is_compared_with_the_controls(panel):
    panel.type("Prompt", "Name a sea.\nOne word.")
    select(panel, 1)
    assert panel.find("Prompt").value == "Name a sea.\nOne word."  # nothing is restored
    assert difference(panel) == (
        "- in this version, + in the controls now\n\n"
        "prompt\n- Name a river.\n+ Name a sea.\n  One word.\n\n"
        "system\n- Be brief.\n\n"
        "response\n- Po"
    )
    page = difference(panel, "text/html")
    assert "<del>- Name a <mark>river</mark>.</del><ins>+ Name a <mark>sea</mark>.</ins>" in page
    assert any(line.endswith(" · main · gpt-5 · 2 tokens · stop · 1.2 s") for line in panel.lines())
    panel.type("Prompt", "Name a river.\nOne word.")
    assert "prompt" not in difference(panel)


def test_equal_lines_far_from_a_change_are_counted(panel, session):
    text = [f"line {n}" for n in range(20)]
    session.record(CONFIG, as_messages("\n".join([*text, "old"]), None), Response("Sea"))
    select(panel, 0)
    panel.type("Prompt", "\n".join([*text, "new"]))
    assert "prompt\n… 18 equal lines\n  line 18\n  line 19\n- old\n+ new\n" in difference(panel)


def test_very_long_texts_are_compared_at_their_beginning(panel, session):
    session.record(CONFIG, as_messages("Name a sea.", None), Response("new\n" * 100_000))
    select(panel, 0)
    assert difference(panel).endswith("- … 380,000 more characters")
    assert len(difference(panel, "text/html")) < 150_000


def test_restore_and_undo(panel):
    panel.type("Prompt", "What I was writing")
    select(panel, 0)
    panel.click("Restore")
    assert panel.find("Prompt").value == "Name a lake.\nOne word."
    assert panel.model.draft.config.model_kwargs == {"temperature": 1}
    assert panel.model.result.row.text == "Como"
    assert "Number 2 is shown." in panel.lines()
    assert difference(panel) == "Nothing differs from the controls."
    click(button(panel, "Undo"))
    assert panel.find("Prompt").value == "What I was writing"
    assert panel.model.result is None
    assert button(panel, "Undo").disabled


def test_name_rating_and_note(panel, session):
    select(panel, 1)
    panel.type("Version name", " short ")
    panel.type("Note", "Keep it.")
    press(panel, "Good")
    assert labels(panel)[1].startswith("short · good · main")
    assert panel.find("Version name").value == "short"
    press(panel, "Bad")
    assert (panel.find("Good").value, panel.find("Bad").value) == (False, True)
    assert session.history[0].notes == {"name": "short", "note": "Keep it.", "rating": "bad"}
    select(panel, 0)
    assert [panel.find(name).value for name in ("Version name", "Note", "Good", "Bad")] == ["", "", False, False]
    select(panel, 1)
    press(panel, "Bad")
    assert [panel.find(name).value for name in ("Version name", "Note", "Good", "Bad")] == [
        "short",
        "Keep it.",
        False,
        False,
    ]


def test_new_answer_of_the_panel_is_selected(panel, session, endpoint, chat):
    session.save("live", chat)
    session.use("live")
    select(panel, 1)
    session.record(CONFIG, as_messages("A cell asks.", None), Response("Tea."))
    assert "Name a river" in dict(map(reversed, versions(panel).options))[versions(panel).value]
    panel.type("Prompt", "Hello")
    panel.click("Run")
    panel.wait_until_idle()
    assert versions(panel).value == versions(panel).options[0][1]
    assert difference(panel) == "Nothing differs from the controls."


def test_variable_without_a_value_is_compared_by_its_name(panel):
    panel.type("System", "Be {mood}.")
    select(panel, 1)
    assert "system\n- Be brief.\n+ Be {mood}." in difference(panel)


def test_export_writes_json_lines(panel, tmp_path):
    panel.type("Export to", str(tmp_path / "versions.jsonl"))
    submit(panel.find("Export to"))
    lines = [json.loads(line) for line in (tmp_path / "versions.jsonl").read_text("utf-8").splitlines()]
    assert [line["response"]["text"] for line in lines] == ["Po", "Como"]
    assert any(line.startswith("Exported 2 versions to") for line in panel.lines())
    panel.type("Export to", "")
    panel.click("Export versions")
    assert any(line.startswith("There is no file name") for line in panel.lines())


def test_versions_of_one_session_are_the_same_in_two_panels(panel, session):
    with open_panel(session) as second:
        open_versions(second)
        select(panel, 1)
        panel.type("Version name", "short")
        assert labels(second) == labels(panel)
        assert versions(second).value != versions(panel).value  # each one selects for itself
        press(second, "Bad")
        assert labels(panel)[0].startswith("2 · bad")


def test_versions_of_a_history_file_are_shown_after_a_restart(session, tmp_path):
    path = tmp_path / "history.jsonl"
    session.open_history(path)
    exchange = session.record(CONFIG, as_messages("Name a bay.", None), Response("Bay"))
    session.annotate(exchange.id, name="bay", rating="good")
    later = Session()
    later.save("main", CONFIG)
    later.open_history(path)
    with open_panel(later) as panel:
        open_versions(panel)
        assert labels(panel)[0].startswith("bay · good · main")
        assert difference(panel) == "Nothing differs from the controls."
        panel.type("Prompt", "Name a cape.")
        panel.click("Restore")
        assert panel.find("Prompt").value == "Name a bay."


def test_two_hundred_versions_need_no_more_widgets(panel, session):
    before = len(list(within(panel.panel.widget)))
    for n in range(300):
        session.record(HOT, as_messages(f"Prompt {n}", None), Response(str(n)))
    assert (len(labels(panel)), len(list(within(panel.panel.widget)))) == (200, before)
    panel.traffic.clear()
    panel.type("Prompt", "Hello")
    sent = sum(len(json.dumps(each.data)) for each in panel.traffic.updates)
    assert sent < 10_000  # the list is not sent again for every key


def test_keys_and_live_html_are_never_shown(panel, session, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", "p4nel-s3cr3t-0123456789")
    session.record(CONFIG, as_messages("<script>alert(1)</script>", CONTROLS), Response(f"<img src=x> {CONTROLS}"))
    session.record(CONFIG.merged(name=CONTROLS), as_messages(CONTROLS, None), error=RateLimitError(CONTROLS))
    for at in (0, 1):
        select(panel, at)
        page = difference(panel, "text/html")
        assert "<script" not in page
        assert "<img" not in page
        seen = difference(panel) + page + "".join([*labels(panel), *panel.lines()])
        assert set(seen) & FORBIDDEN == set()
    assert "p4nel-s3cr3t" not in json.dumps(w.Widget.get_manager_state(), default=str)

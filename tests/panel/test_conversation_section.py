"""The Conversation fold: turns as they are shown, and every action by its button."""

from __future__ import annotations

import ipywidgets as w
import pytest

from azml_magics.conversations import Conversation
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.emulator import Fault
from azml_magics.panel.view.conversation_section import conversation_title
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .widgets import click, open_panel, set_state, submit, visible_within, within

UNDO = "Take back the last change of the conversation"


@pytest.fixture
def session(azml_endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    session = Session()
    url = f"{azml_endpoint.url}/v1/chat/completions"
    session.save("main", LLMConfig(endpoint_url=url, formatter="openai-chat", key="env:PANEL_KEY", max_retries=0))
    return session


@pytest.fixture
def panel(session):
    with open_panel(session) as panel:
        yield panel


@pytest.fixture
def say(panel):
    """A function that sends a prompt and waits for its end."""

    def send(text):
        panel.type("Prompt", text)
        panel.click("Run")
        panel.wait_until_idle()

    return send


@pytest.fixture
def talk(panel, say):
    """A conversation of two questions with their answers."""
    panel.click("Begin")
    say("My name is Ada.")
    say("What is my name?")
    return panel.model.conversation


def turns(panel):
    """The boxes of the turns in sight."""
    return [each for each in visible_within(panel.panel.widget) if "azml-turn" in each._dom_classes]


def texts(panel):
    """The text of each turn in sight: a question's, or an answer's Markdown."""
    return [turn_text(each) for each in turns(panel)]


def turn_text(box):
    for each in visible_within(box):
        if "azml-turn-text" in each._dom_classes and each.value:
            return each.value
        if isinstance(each, w.Output) and each.outputs:
            return each.outputs[-1]["data"]["text/markdown"]
    return ""


def speakers(panel):
    return [each.value for each in visible_within(panel.panel.widget) if "azml-speaker" in each._dom_classes]


def act(panel, number, label):
    """Press a button of a turn, counted from 1."""
    click(panel.find(label, w.Button, at=turns(panel)[number - 1]))


def icon(at, name):
    (found,) = [each for each in visible_within(at) if isinstance(each, w.Button) and each.icon == name]
    return found


def find_undo(panel):
    (found,) = [each for each in within(panel.panel.widget) if each.__class__ is w.Button and each.tooltip == UNDO]
    return found


def test_turns_are_shown_with_their_facts(panel, talk):
    assert panel.find("Send as").value == "chat-1"
    assert texts(panel)[0::2] == ["My name is Ada.", "What is my name?"]
    assert "Ada" in texts(panel)[3]
    you, answer = speakers(panel)[2:]
    assert you == "3 · You"
    assert answer.startswith("4 · Answer · ")
    assert "tokens" in answer
    assert panel.find("Prompt").value == ""
    assert panel.find("As a cell").value == "%%azureml main -c chat-1\n"


def test_heading_names_the_conversation(panel, talk):
    assert conversation_title(panel.model) == "Conversation: chat-1, 4 turns"
    panel.type("Send as", "")
    assert conversation_title(panel.model) == "Conversation: one prompt"
    assert turns(panel) == []


def test_named_conversation_begins_on_enter(panel):
    field = panel.find("Begin as")
    set_state(field, value="trip")
    submit(field)
    assert (panel.find("Send as").value, field.value) == ("trip", "")


def test_conversation_of_a_cell_can_be_chosen(panel, session):
    kept = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."})
    session.conversations["cell"] = Conversation(kept)
    panel.type("Send as", "cell")
    assert texts(panel) == ["Hello", "Hi."]


def test_edit_save_and_retry(panel, talk):
    act(panel, 1, "Edit")
    area = panel.find("Text of the turn")
    assert area.value == "My name is Ada."
    set_state(area, value="My name is Bob.")
    act(panel, 1, "Save")
    assert texts(panel)[0] == "My name is Bob."
    assert speakers(panel)[0] == "1 · You · edited"
    assert len(turns(panel)) == 4
    act(panel, 3, "Retry")
    panel.wait_until_idle()
    assert "Bob" in texts(panel)[3]


def test_save_and_retry_asks_with_the_new_text(panel, talk):
    act(panel, 3, "Edit")
    set_state(panel.find("Text of the turn"), value="Write a haiku about tea.")
    act(panel, 3, "Save and retry")
    panel.wait_until_idle()
    assert texts(panel)[2] == "Write a haiku about tea."
    assert "2 of 2" in panel.lines()


def test_cancelled_edit_changes_nothing(panel, talk):
    before = texts(panel)
    act(panel, 1, "Edit")
    set_state(panel.find("Text of the turn"), value="x")
    act(panel, 1, "Cancel")
    assert texts(panel) == before
    assert not [each for each in visible_within(panel.panel.widget) if "azml-edit" in each._dom_classes]


def test_retry_shows_a_switch_between_both_answers(panel, talk):
    former = texts(panel)
    act(panel, 1, "Retry")
    panel.wait_until_idle()
    assert len(turns(panel)) == 2
    answer = turns(panel)[1]
    assert "2 of 2" in panel.lines()
    assert icon(answer, "chevron-right").disabled
    click(icon(answer, "chevron-left"))
    assert texts(panel) == former
    assert "1 of 2" in panel.lines()


def test_branch_has_its_switch_before_it_has_a_turn(panel, talk, say):
    act(panel, 2, "Branch")
    assert len(turns(panel)) == 2
    assert "2 of 2" in panel.lines()
    say("And now?")
    assert texts(panel)[2] == "And now?"
    click(icon(turns(panel)[2], "chevron-left"))
    assert texts(panel)[2] == "What is my name?"


def test_delete_clear_and_undo(panel, talk):
    before = texts(panel)
    act(panel, 2, "Delete")
    assert texts(panel) == [before[0], *before[2:]]
    panel.click("Undo delete")
    assert texts(panel) == before
    panel.click("Clear")
    assert turns(panel) == []
    panel.click("Undo clear")
    assert texts(panel) == before
    assert find_undo(panel).disabled


def test_failed_question_says_why_and_can_be_retried(panel, azml_endpoint, say):
    panel.click("Begin")
    azml_endpoint.script([Fault("500")])
    say("Hello")
    assert len(turns(panel)) == 1
    assert [line for line in panel.lines() if "500" in line]
    act(panel, 1, "Retry")
    panel.wait_until_idle()
    assert len(turns(panel)) == 2


def test_long_conversation_shows_its_end_first(panel, session):
    kept = [{"role": ("user", "assistant")[n % 2], "content": f"text {n}"} for n in range(50)]
    session.conversations["long"] = Conversation(tuple(kept))
    panel.type("Send as", "long")
    assert (texts(panel)[0], texts(panel)[-1]) == ("text 40", "text 49")
    panel.traffic.clear()
    panel.click("Show earlier turns")
    assert texts(panel)[0] == "text 30"
    assert len(panel.traffic.messages) < 250  # ZeroMQ drops bursts of 500
    for _ in range(3):
        panel.click("Show earlier turns")
    assert (texts(panel)[0], len(turns(panel))) == ("text 0", 50)


def test_turns_that_left_the_screen_close_their_widgets(panel, talk):
    before = len(panel.traffic.open_comms())
    act(panel, 1, "Retry")
    panel.wait_until_idle()
    act(panel, 2, "Delete")
    assert len(panel.traffic.open_comms()) <= before + 20  # the answer that grew
    panel.click("Clear")
    assert len(panel.traffic.open_comms()) < before


def test_answer_keeps_thoughts_folded_above_it(panel, session):
    response = Response("Yes.", reasoning="Is it? It is.")
    session.record(session.get("main"), [{"role": "user", "content": "Is it?"}], response)
    turns_of = ({"role": "user", "content": "Is it?"}, {"role": "assistant", "content": "Yes."})
    session.conversations["deep"] = Conversation(turns_of)
    panel.type("Send as", "deep")
    (output,) = [each for each in within(turns(panel)[1]) if isinstance(each, w.Output)]
    thoughts, answer = (each["data"]["text/markdown"] for each in output.outputs)
    assert thoughts.startswith("<details ")
    assert "Is it? It is." in thoughts
    assert answer == "Yes."


def test_hostile_text_of_a_turn_stays_text(panel, session):
    hostile = "<img src=x onerror=alert(1)> <script>alert(1)</script>"
    session.conversations["bad"] = Conversation(
        ({"role": "user", "content": hostile}, {"role": "assistant", "content": hostile})
    )
    panel.type("Send as", "bad")
    assert texts(panel)[0] == hostile  # a label shows text
    assert "<img" not in texts(panel)[1]


def test_section_is_not_built_before_it_is_opened(session):
    with open_panel(session, folded=True) as panel:
        assert not [each for each in within(panel.panel.widget) if getattr(each, "description", "") == "Send as"]

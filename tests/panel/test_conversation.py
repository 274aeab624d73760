"""The conversation of the panel: what is sent and kept, shared with cells; edit, retry, delete, branch, undo."""

from __future__ import annotations

import json

import pytest
from langchain_core.prompts import ChatPromptTemplate

from azml_magics.conversations import Conversation, after_response
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.emulator import Fault
from azml_magics.panel.model.conversation_tree import ConversationTree
from azml_magics.panel.model.panel_model import PanelModel


@pytest.fixture
def talk(ready):
    """The conversation of a panel that is ready to run."""
    ready.conversation.open("trip")
    return ready.conversation


@pytest.fixture
def say(ready, talk, wait_until_idle):
    """A function that sends a prompt in the conversation and returns the last turn."""

    def send(text):
        ready.set_prompt(text)
        ready.runs.run()
        assert wait_until_idle(ready) == ""
        return talk.tree.turns[-1]

    return send


@pytest.fixture
def retry(ready, talk, wait_until_idle):
    """A function that retries at a turn and waits for the answer."""

    def again(turn_id):
        ready.runs.retry(turn_id)
        wait_until_idle(ready)
        return talk.tree.turns[-1]

    return again


@pytest.fixture
def sent(endpoint):
    """A function: the messages that the endpoint received last, as (role, content)."""
    return lambda: [(each["role"], each["content"]) for each in json.loads(endpoint.requests[-1].body)["messages"]]


def texts(talk):
    return [turn.text for turn in talk.tree.turns]


def note(model):
    return model.notes["conversation"].text


def test_conversation_sends_earlier_turns_and_empties_the_prompt(ready, talk, say, sent):
    first = say("My name is Ada.")
    assert ready.prompt.text == ""
    second = say("What is my name?")
    assert "Ada" in second.text
    assert sent() == [("user", "My name is Ada."), ("assistant", first.text), ("user", "What is my name?")]
    assert [turn.role for turn in talk.tree.turns] == ["user", "assistant"] * 2
    assert second.response.finish_reason == "stop"


def test_one_prompt_sends_no_turns(ready, talk, say, sent):
    say("My name is Ada.")
    talk.open("")
    ready.set_prompt("What is my name?")
    ready.runs.run()
    assert ready.worker.wait(60)
    assert sent() == [("user", "What is my name?")]
    assert ready.prompt.text == "What is my name?"


def test_new_conversations_get_free_names(session, talk):
    session.conversations["chat-1"] = Conversation(({"role": "user", "content": "Hello"},))
    talk.start_new()
    assert (talk.name, talk.names) == ("chat-2", ["chat-1", "chat-2"])
    talk.open("")
    assert talk.names == ["chat-1"]


@pytest.mark.parametrize("name", ["-x", "$x", " x", "two\nlines"])
def test_name_that_no_cell_can_have_is_refused(ready, talk, name):
    talk.open(name)
    assert talk.name == "trip"
    assert note(ready).endswith("cannot name a conversation. Use letters, digits, dots, - and _, such as trip.")


def test_system_message_and_variables_are_sent_as_in_a_cell(ready, variables, say, sent, session):
    variables["place"] = "Lisbon"
    ready.set("system", "Be brief.")
    say("About {place}")
    say("Go on")
    assert sent()[:2] == [("system", "Be brief."), ("user", "About Lisbon")]
    assert [turn["role"] for turn in session.conversations["trip"].turns] == ["user", "assistant"] * 2


def test_template_with_several_messages_becomes_several_turns(session, chat, wait_until_idle):
    made = [{"role": role, "content": role} for role in ("system", "user", "assistant", "user")]
    model = PanelModel(
        session,
        lambda: {"t": ChatPromptTemplate.from_messages([("user", "{topic}")]), "topic": "tea"},
        render_template=lambda *_: made,
    )
    session.save("main", chat)
    model.conversation.open("trip")
    model.prompt.template = "$t"
    model.runs.run()
    assert wait_until_idle(model) == ""
    assert [turn.role for turn in model.conversation.tree.turns] == ["user", "assistant"] * 2
    assert note(model) == ""
    model.close()


# ---- shared with cells


def test_session_has_exactly_the_turns_that_are_shown(session, talk, say):
    say("Hello")
    say("Go on")
    kept = session.conversations["trip"]
    assert [turn["content"] for turn in kept.turns] == texts(talk)
    talk.delete(talk.tree.turns[1].id)
    assert [turn["content"] for turn in session.conversations["trip"].turns] == texts(talk)
    talk.clear()
    assert "trip" not in session.conversations


def test_cell_goes_on_with_the_panels_conversation(ready, talk, say, session, chat):
    say("Hello")
    cell = session.conversations["trip"].with_prompt([{"role": "user", "content": "From a cell"}], chat)
    session.conversations["trip"] = after_response(cell, Response("An answer."), chat)
    assert texts(talk)[-2:] == ["From a cell", "An answer."]
    assert ready.conversation.tree.branch("") == (1, 1)


def test_conversation_begun_in_a_cell_goes_on_in_the_panel(talk, say, sent, session, chat):
    answer = Response("Hi.", reasoning="They greet.")
    session.record(chat, [{"role": "user", "content": "Hello"}], answer)
    session.conversations["other"] = after_response([{"role": "user", "content": "Hello"}], answer, chat)
    assert "other" in talk.names
    talk.open("other")
    assert texts(talk) == ["Hello", "Hi."]
    assert talk.tree.turns[-1].response.reasoning == "They greet."
    say("Go on")
    assert sent() == [("user", "Hello"), ("assistant", "Hi."), ("user", "Go on")]


def test_items_of_a_cells_answer_go_back_to_its_model(talk, session, chat):
    items = [{"type": "reasoning", "id": "r"}]
    session.conversations["other"] = after_response(
        [{"role": "user", "content": "Hello"}], Response("Hi.", items=items), chat
    )
    talk.open("other")
    following = [{"role": "user", "content": "Go on"}]
    assert talk.with_prompt(following, chat)[1]["items"] == items
    assert "items" not in talk.with_prompt(following, LLMConfig(endpoint_url="https://else.example/v1"))[1]


def test_clearing_in_the_notebook_keeps_the_turns_in_a_branch(ready, talk, say, session):
    say("Hello")
    del session.conversations["trip"]
    assert (texts(talk), talk.tree.branch("")) == ([], (2, 2))
    assert note(ready) == "trip was cleared in the notebook: its turns are still in a branch."
    talk.switch("", 1)
    assert texts(talk)[0] == "Hello"
    assert len(session.conversations["trip"].turns) == 2


def test_equivalent_cell_names_the_conversation(ready, talk):
    ready.set_prompt("Hello")
    assert ready.build_cell().text == "%%azureml main -c trip\nHello"
    talk.open("two words")
    assert ready.build_cell().text == "%%azureml main -c 'two words'\nHello"
    talk.open("")
    assert ready.build_cell().text == "%%azureml main\nHello"


# ---- edit, retry, delete, branch


def test_edited_turn_is_what_is_sent_and_kept(talk, say, sent, session):
    say("Hello")
    talk.edit(talk.tree.turns[0].id, "Good {morning}")
    say("Go on")
    assert sent()[0] == ("user", "Good {morning}")
    assert session.conversations["trip"].turns[0]["content"] == "Good {morning}"


def test_retry_keeps_the_former_answer_as_a_branch(talk, say, retry, sent):
    first = say("Write a haiku about tea.")
    question = talk.tree.turns[0]
    say("Go on")
    talk.edit(question.id, "Write a haiku about coffee.")
    answer = retry(question.id)
    assert sent() == [("user", "Write a haiku about coffee.")]
    assert [turn.id for turn in talk.tree.turns] == [question.id, answer.id]
    assert talk.tree.branch(question.id) == (2, 2)
    talk.switch(question.id, 1)
    assert texts(talk)[1:3] == [first.text, "Go on"]


def test_retry_at_an_answer_asks_its_question_again(talk, say, retry, sent):
    say("Hello")
    answer = say("Go on")
    again = retry(answer.id)
    assert again.id != answer.id
    assert [text for _, text in sent()] == ["Hello", talk.tree.turns[1].text, "Go on"]


def test_retry_without_a_question_says_so(ready, talk, say, endpoint):
    answer = say("Hello")
    talk.delete(talk.tree.turns[0].id)
    count = len(endpoint.requests)
    ready.runs.retry(answer.id)
    assert ready.notes["run"].text == "There is no question before this turn. Type one as the prompt."
    assert len(endpoint.requests) == count


def test_branch_goes_on_another_way_and_keeps_both(talk, say, sent):
    first = say("Hello")
    say("In English, please")
    talk.branch(first.id)
    assert texts(talk) == ["Hello", first.text]
    say("In French, please")
    assert [text for _, text in sent()] == ["Hello", first.text, "In French, please"]
    assert talk.tree.branch(first.id) == (2, 2)
    talk.switch(first.id, 1)
    assert texts(talk)[2] == "In English, please"


@pytest.mark.parametrize("action", ["Edit", "Delete", "Branch", "Clear"])
def test_action_can_be_undone_until_something_else_changes(talk, say, session, action):
    say("Hello")
    before, turn = texts(talk), talk.tree.turns[0]
    act = {
        "Edit": lambda: talk.edit(turn.id, "Bye"),
        "Delete": lambda: talk.delete(turn.id),
        "Branch": lambda: talk.branch(turn.id),
        "Clear": talk.clear,
    }[action]
    act()
    assert (talk.can_undo, texts(talk) != before) == (action, True)
    talk.undo()
    assert (talk.can_undo, texts(talk)) == ("", before)
    assert [each["content"] for each in session.conversations["trip"].turns] == before
    act()
    say("Go on")
    assert talk.can_undo == ""


def test_actions_on_a_turn_that_is_gone_do_nothing(talk, say):
    say("Hello")
    before = talk.tree
    talk.edit("?", "x")
    talk.delete("?")
    talk.branch("?")
    talk.edit(before.turns[0].id, "Hello")
    assert talk.tree is before


# ---- what goes wrong


@pytest.fixture
def fail(ready, endpoint, wait_until_idle):
    """A function that sends a prompt which fails with status 500, and returns the panel's line."""

    def send(text):
        endpoint.script([Fault("500")])
        ready.set_prompt(text)
        ready.runs.run()
        return wait_until_idle(ready)

    return send


def test_failed_question_stays_and_is_not_part_of_the_conversation(talk, say, fail, sent, session):
    first = say("Hello")
    assert "500" in fail("Go on")
    assert talk.tree.turns[-1].text == "Go on"
    assert "500" in talk.tree.turns[-1].failure
    assert len(session.conversations["trip"].turns) == 2
    say("Something else")
    assert [text for _, text in sent()] == ["Hello", first.text, "Something else"]
    assert talk.tree.branch(first.id) == (2, 2)


def test_failed_question_is_still_shown_after_another_conversation(talk, fail):
    fail("Hello")
    talk.open("other")
    talk.open("trip")
    assert [turn.failure != "" for turn in talk.tree.turns] == [True]


def test_failed_question_can_be_asked_again(talk, fail, retry):
    fail("Hello")
    answer = retry(talk.tree.turns[-1].id)
    assert [turn.failure for turn in talk.tree.turns] == ["", ""]
    assert answer.role == "assistant"
    assert talk.tree.branch(talk.tree.turns[0].id) == (1, 1)


def test_refused_prompt_stays_in_its_field(ready, talk):
    ready.set_prompt("About {nothing}")
    ready.runs.run()
    assert "{nothing}" in ready.notes["run"].text
    assert (ready.prompt.text, texts(talk), talk.asking) == ("About {nothing}", [], None)


def test_several_responses_are_refused_in_a_conversation(ready, talk, endpoint):
    count = len(endpoint.requests)
    ready.runs.compare(repeats=2)
    assert ready.notes["run"].text == "A conversation takes one response. Choose One prompt to compare several."
    assert (len(endpoint.requests), texts(talk)) == (count, [])


# ---- changes while an answer streams


@pytest.fixture
def hold(ready, talk, endpoint, watch):
    """A function that asks a question whose answer has begun, and goes on slowly until `finish`; returns the question."""

    def ask():
        changes = watch(ready)
        endpoint.rate = 20  # tokens a second
        ready.set_prompt("Write 120 words about rivers.")
        ready.runs.run()
        changes.until(lambda: ready.result.is_running and ready.result.row.text)
        return talk.tree.turns[-1]

    return ask


@pytest.fixture
def held(hold):
    """Such a question as the first turn."""
    return hold()


def finish(ready, endpoint):
    """Let the answer end."""
    endpoint.rate = 0
    assert ready.worker.wait(60)


def test_question_is_shown_while_its_answer_streams(ready, talk, held, endpoint):
    assert talk.asking.turn.id == held.id
    assert ready.running
    finish(ready, endpoint)
    assert talk.asking is None
    assert [turn.role for turn in talk.tree.turns] == ["user", "assistant"]


def test_answer_to_an_edited_question_belongs_to_the_question_as_sent(ready, talk, held, endpoint):
    talk.edit(held.id, "Something else")
    finish(ready, endpoint)
    assert texts(talk) == ["Something else"]
    assert talk.tree.branch("") == (1, 2)
    assert (
        note(ready) == "The question was edited meanwhile: the answer is in another branch, below the question as sent."
    )
    talk.switch("", 2)
    assert texts(talk)[0] == "Write 120 words about rivers."
    assert talk.tree.turns[1].role == "assistant"


def test_answer_to_a_deleted_question_is_kept_as_a_version(ready, talk, held, endpoint, session):
    talk.delete(held.id)
    finish(ready, endpoint)
    assert (texts(talk), note(ready)) == ([], "Its question was deleted meanwhile: the answer is under Versions.")
    assert ready.versions.entries()[0].response == session.last.response.text != ""


def test_answer_comes_into_its_own_branch(ready, talk, held, endpoint):
    talk.switch("", 1)
    talk.branch(held.id)
    talk.go_back("trip", talk.tree.start_branch(""))  # another beginning is shown
    finish(ready, endpoint)
    assert (texts(talk), note(ready)) == ([], "The answer is in another branch.")
    talk.switch("", 1)
    assert [turn.role for turn in talk.tree.turns] == ["user", "assistant"]


def test_answer_comes_into_its_own_conversation(ready, talk, held, endpoint):
    talk.open("other")
    finish(ready, endpoint)
    assert (texts(talk), note(ready)) == ([], "The answer is in the conversation trip.")
    talk.open("trip")
    assert len(talk.tree.turns) == 2


def test_changed_earlier_turns_are_said(ready, talk, say, endpoint, hold):
    say("Hello")
    hold()
    talk.edit(talk.tree.turns[0].id, "Bye")
    finish(ready, endpoint)
    assert note(ready).startswith("Earlier turns were changed while this answer was written")
    assert len(talk.tree.turns) == 4


def test_stopped_answer_stays_below_its_question_and_is_not_sent(ready, talk, held, endpoint, session):
    ready.stop()
    finish(ready, endpoint)
    (question,) = talk.tree.turns
    assert question.failure.startswith("Stopped.")
    assert question.response.text
    assert "trip" not in session.conversations


# ---- versions


def test_every_turn_is_a_version_that_brings_its_conversation_back(ready, talk, say):
    say("My name is Ada.")
    say("What is my name?")
    say("And now?")
    before = texts(talk)
    second = ready.versions.entries()[1]
    ready.versions.restore(second.id)
    assert (ready.prompt.text, texts(talk)) == ("What is my name?", before[:2])
    assert ready.build_cell().text == "%%azureml main -c trip\nWhat is my name?"
    assert not ready.is_result_stale
    ready.versions.undo()
    assert (ready.prompt.text, texts(talk)) == ("", before)


def test_restoring_a_single_prompt_leaves_the_conversation(ready, talk, wait_until_idle, say):
    say("Hello")
    talk.open("")
    ready.set_prompt("Alone")
    ready.runs.run()
    wait_until_idle(ready)
    talk.open("trip")
    ready.versions.restore(ready.versions.entries()[0].id)
    assert (talk.name, ready.prompt.text) == ("", "Alone")
    ready.versions.undo()
    assert len(talk.tree.turns) == 2


def test_conversation_comes_back_after_a_restart(tmp_path, session, chat, wait_until_idle):
    session.open_history(tmp_path / "history.jsonl")
    session.save("main", chat)
    first = PanelModel(session)
    first.conversation.open("trip")
    for text in ("My name is Ada.", "What is my name?"):
        first.set_prompt(text)
        first.runs.run()
        wait_until_idle(first)
    first.close()
    later = type(session)()
    later.save("main", chat)
    later.open_history(tmp_path / "history.jsonl")
    second = PanelModel(later)
    assert (second.conversation.name, second.prompt.text) == ("trip", "What is my name?")
    assert texts(second.conversation)[0] == "My name is Ada."
    second.close()


def test_answer_is_not_stale_while_the_next_prompt_is_typed(ready, talk, say):
    say("Hello")
    ready.set_prompt("Next")
    assert not ready.is_result_stale
    ready.set_kwarg("temperature", "0.3")
    assert ready.is_result_stale
    assert isinstance(talk.tree, ConversationTree)

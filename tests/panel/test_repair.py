"""Repair: a response that does not match its schema is asked for again, with what is wrong with it."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, field_validator

from azml_magics.core.errors import SchemaError, ServiceUnavailableError
from azml_magics.emulator import Fault
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.panel.remedies import REMEDIES
from azml_magics.session import Session

from .widgets import click, open_panel, visible_within, within

REFUSALS: list[str] = []  # what the class below says to the next responses, in order


class Walk(BaseModel):
    minutes: int

    @field_validator("minutes")
    @classmethod
    def _refuse(cls, minutes: int) -> int:
        if REFUSALS:
            raise ValueError(REFUSALS.pop())
        return minutes


@pytest.fixture(autouse=True)
def _no_refusals():
    REFUSALS.clear()
    yield
    REFUSALS.clear()


@pytest.fixture
def asking(ready, variables):
    variables["Walk"] = Walk
    ready.set_option("schema", "Walk")
    return ready


def refused(model, wait_until_idle, *why):
    """Run the prompt and have its response refused; then `why` again for the repairs that follow."""
    REFUSALS[:] = [*reversed(why), "too short"]
    model.runs.run()
    return wait_until_idle(model)


def repaired(model, wait_until_idle, index=0):
    model.runs.repair(index)
    return wait_until_idle(model)


def contents(request):
    return [turn["content"] for turn in request.json()["messages"]]


def test_repair_sends_the_response_and_what_is_wrong(asking, wait_until_idle, endpoint, session):
    said = refused(asking, wait_until_idle)
    assert said.endswith(f"too short. {REMEDIES['schema']}")
    first = asking.result.row.text
    assert repaired(asking, wait_until_idle) == ""
    assert asking.result.row.response.parsed == Walk(minutes=asking.result.row.response.parsed.minutes)
    prompt, answer, wrong = contents(endpoint.requests[-1])
    assert (prompt, answer) == ("Tell me about rivers", first)
    assert wrong.startswith("That does not fit: The response does not match Walk: minutes: Value error, too short.")
    assert "valid for this JSON schema" in wrong
    assert "response_format" in endpoint.requests[-1].json()
    assert [type(each.error) for each in session.history] == [SchemaError, type(None)]
    assert asking.result.mismatch() is None


def test_repair_can_be_repeated_and_starts_from_the_last_response(asking, wait_until_idle, endpoint):
    refused(asking, wait_until_idle, "too long")
    assert "too long" in repaired(asking, wait_until_idle)
    assert repaired(asking, wait_until_idle) == ""
    assert len(contents(endpoint.requests[-1])) == 3
    assert "too long" in contents(endpoint.requests[-1])[-1]


def test_repair_can_be_tried_again_after_a_failure(asking, wait_until_idle, endpoint):
    refused(asking, wait_until_idle)
    endpoint.script([Fault("503")])
    repaired(asking, wait_until_idle)
    assert isinstance(asking.result.row.error, ServiceUnavailableError)
    assert repaired(asking, wait_until_idle) == ""
    assert "too short" in contents(endpoint.requests[-1])[-1]


def test_repair_is_about_what_was_sent_and_not_about_the_controls(asking, wait_until_idle, endpoint):
    refused(asking, wait_until_idle)
    asking.set_prompt("Something else")
    asking.set_option("schema", "")
    assert repaired(asking, wait_until_idle) == ""
    assert contents(endpoint.requests[-1])[0] == "Tell me about rivers"
    assert asking.prompt.text == "Something else"
    assert asking.is_result_stale


def test_repair_keeps_the_response_in_its_variable(session, chat, variables, wait_until_idle):
    model = PanelModel(session, lambda: variables, store=variables.__setitem__)
    session.save("main", chat)
    variables["Walk"] = Walk
    model.set_prompt("A walk")
    for name, text in (("schema", "Walk"), ("output", "walk")):
        model.set_option(name, text)
    refused(model, wait_until_idle)
    assert "walk" not in variables
    repaired(model, wait_until_idle)
    assert isinstance(variables["walk"].parsed, Walk)
    model.close()


def test_repaired_run_is_restored_with_its_own_prompt(asking, wait_until_idle, session):
    asking.set_prompt("A walk in {city}")
    asking.set_variable("city", "Porto")
    refused(asking, wait_until_idle)
    repaired(asking, wait_until_idle)
    asking.set_prompt("Something else")
    asking.history.restore(session.history[-1].number)
    assert asking.prompt.text == "A walk in {city}"
    assert asking.options.schema == "Walk"
    assert asking.conversation.name == ""


def test_conversation_gets_the_repaired_answer_alone(asking, wait_until_idle, endpoint):
    asking.conversation.open("trip")
    refused(asking, wait_until_idle)
    assert [turn.role for turn in asking.conversation.tree.turns] == ["user"]
    repaired(asking, wait_until_idle)
    assert [turn.role for turn in asking.conversation.tree.turns] == ["user", "assistant"]
    asking.set_prompt("And another one")
    asking.runs.run()
    wait_until_idle(asking)
    assert len(contents(endpoint.requests[-1])) == 3


def test_repair_of_one_of_several_leaves_the_others(asking, wait_until_idle, endpoint):
    REFUSALS[:] = ["too short"]
    asking.runs.compare(repeats=3)
    wait_until_idle(asking)
    [wrong] = [index for index in range(3) if asking.result.mismatch(index)]
    before, ids = asking.result, list(asking.result.ids)
    asking.columns.select(wrong)
    assert repaired(asking, wait_until_idle, wrong).startswith("3 ")
    after = asking.result
    assert [row.error for row in after.batch] == [None] * 3
    assert all(after.batch[index] is before.batch[index] for index in range(3) if index != wrong)
    assert [index for index in range(3) if after.ids[index] != ids[index]] == [wrong]
    assert asking.columns.selected == wrong
    assert len(endpoint.requests) == 4


def test_there_is_nothing_to_repair(asking, wait_until_idle, endpoint):
    asking.runs.repair()
    assert asking.notes["run"].text == "There is nothing to repair. Press Run."
    asking.runs.run()
    wait_until_idle(asking)
    asking.runs.repair()
    assert asking.notes["run"].text == "There is nothing to repair. Press Run."
    assert len(endpoint.requests) == 1


def test_response_that_was_cut_off_is_not_repaired(asking, wait_until_idle):
    asking.set_kwarg("max_tokens", "2")
    asking.runs.run()
    assert wait_until_idle(asking).endswith("It was cut off: raise max_tokens.")
    assert asking.result.mismatch() is None


# ---- the button ----


@pytest.fixture
def panel(chat):
    session = Session()
    session.save("main", chat)
    with open_panel(session, Walk=Walk) as panel:
        panel.model.set_option("schema", "Walk")
        panel.type("Prompt", "A walk")
        yield panel


def repair_buttons(panel):
    shown = visible_within(panel.panel.widget)
    return [each for each in shown if "azml-next" in each._dom_classes and each.description == "Repair"]


def test_repair_stands_beside_the_message(panel):
    REFUSALS[:] = ["too short"]
    panel.click("Run")
    panel.wait_until_idle()
    (button,) = repair_buttons(panel)
    click(button)
    panel.wait_until_idle()
    assert repair_buttons(panel) == []
    assert panel.model.result.row.error is None


def test_each_column_has_its_own_repair(panel):
    REFUSALS[:] = ["too short"]
    panel.model.runs.compare(repeats=2)
    panel.wait_until_idle()
    (button,) = repair_buttons(panel)
    columns = [each for each in visible_within(panel.panel.widget) if "azml-column" in each._dom_classes]
    (column,) = [each for each in columns if button in within(each)]
    assert any("too short" in str(getattr(each, "value", "")) for each in within(column))
    click(button)
    panel.wait_until_idle()
    assert repair_buttons(panel) == []

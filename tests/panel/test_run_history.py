"""The panel's history: a call is restored into the controls, and going back undoes that."""

from __future__ import annotations

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError
from azml_magics.core.messages import as_messages
from azml_magics.core.response import Response
from azml_magics.panel.model.drafts import NEW

URL = "https://n.eastus.inference.ml.azure.com/score"
PROD = LLMConfig(name="prod", endpoint_url=URL, formatter="gpt2", key="env:RIVER_KEY", system="Be brief.")


@pytest.fixture
def asked(model, session):
    """A panel with the configs `prod` and `test`, and three calls of the notebook."""
    session.save("prod", PROD)
    session.save("test", PROD.merged(formatter="hf", system=None))
    hot = PROD.merged(model_kwargs={"temperature": 1})
    session.record(PROD, as_messages("One {x}", "Be brief."), Response("Eins", latency=1.25))
    session.record(hot, as_messages("Two", "Be kind."), error=RateLimitError("Too many"))
    session.record(session.get("test"), as_messages("Three", None), Response("Drei", latency=0.5))
    return model


def shown(model):
    """What the controls and the response show."""
    result = model.result
    return model.name, model.prompt.text, model.draft.config.system, result.row.text if result else None


def test_restore_fills_controls_and_result(asked):
    asked.history.restore(2)
    assert shown(asked) == ("prod", "Two", "Be kind.", "")
    assert asked.draft.config.model_kwargs == {"temperature": 1}
    assert asked.draft.is_changed
    assert isinstance(asked.result.row.error, RateLimitError)
    assert asked.notes["run"].text == "Number 2 is shown."


def test_restored_call_sends_the_same_request(asked):
    asked.history.restore(1)
    assert asked.prompt.text == "One {{x}}"
    assert asked.messages() == as_messages("One {x}", "Be brief.")


def test_restored_config_is_active(asked, session):
    asked.history.restore(3)
    assert (asked.name, session.active) == ("test", "test")


def test_going_back_undoes_everything(asked):
    asked.set_prompt("Mine {topic}")
    asked.set_variable("topic", "tea")
    asked.set("system", "My own.")
    asked.set_kwarg("temperature", "warm")
    before = shown(asked)
    asked.history.restore(1)
    asked.history.restore(3)
    assert asked.history.can_go_back
    asked.history.go_back()
    assert shown(asked) == before
    assert asked.prompt.typed == {"topic": "tea"}
    assert asked.draft.errors == {"temperature": "'warm' is not a number"}
    assert not asked.history.can_go_back
    assert asked.notes["run"].text == ""


def test_going_back_restores_edits_of_the_other_config(asked):
    asked.choose("test")
    asked.set("system", "Unsaved in test.")
    asked.choose("prod")
    asked.history.restore(3)
    assert asked.draft.config.system is None
    asked.history.go_back()
    assert asked.name == "prod"
    asked.choose("test")
    assert asked.draft.config.system == "Unsaved in test."


def test_going_back_leaves_no_unsaved_changes(asked):
    asked.history.restore(2)
    asked.history.go_back()
    assert shown(asked) == ("prod", "", "Be brief.", None)
    assert not asked.draft.is_changed


def test_going_back_restores_the_new_config(asked):
    asked.new()
    asked.set("endpoint_url", "https://new.eastus.inference.ml.azure.com/score")
    asked.history.restore(3)
    asked.history.go_back()
    assert asked.name == NEW
    assert asked.draft.config.endpoint_url.startswith("https://new.")


def test_deleted_config_is_restored_as_new(asked, session):
    asked.set("system", "My own.")
    session.delete("test")
    asked.history.restore(3)
    assert (asked.name, asked.draft.config.formatter, asked.draft.config.name) == (NEW, "hf", "")
    asked.history.go_back()
    assert shown(asked)[:3] == ("prod", "", "My own.")
    assert asked.names == ["prod"]


def test_going_back_after_rename_or_delete(asked, session):
    asked.set("system", "My own.")
    asked.history.restore(2)
    session.rename("prod", "production")
    asked.history.go_back()
    assert asked.name == "production"
    assert asked.draft.config.system == "My own."
    asked.history.restore(3)
    session.delete("production")
    asked.history.go_back()
    assert asked.name == "test"
    assert asked.names == ["test"]


def test_going_back_without_restore_does_nothing(asked):
    before = shown(asked)
    asked.history.go_back()
    assert shown(asked) == before


def test_missing_number_is_reported(asked):
    asked.history.restore(99)
    assert asked.notes["run"].text == "The history no longer contains number 99."
    assert asked.notes["run"].mood == "bad"
    assert shown(asked)[0] == "prod"
    assert not asked.history.can_go_back


def test_earlier_messages_come_back_as_a_conversation(asked, session):
    turns = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]
    session.record(PROD, turns, Response("c"))
    asked.history.restore(4)
    assert asked.notes["run"].text == "Number 4 is shown."
    assert [turn.text for turn in asked.conversation.tree.turns] == ["a"]
    assert asked.prompt.text == "b"
    asked.history.go_back()
    assert asked.conversation.name == ""


def test_langchain_call_leaves_controls_unchanged(asked, session):
    session.record(LLMConfig(name="$chain"), as_messages("Four", None), Response("Vier"))
    asked.set("system", "My own.")
    asked.history.restore(4)
    assert shown(asked) == ("prod", "", "My own.", "Vier")
    assert asked.notes["run"].text == "Number 4 is shown. $chain is a LangChain object: the controls stay as they are."
    asked.history.go_back()
    assert shown(asked) == ("prod", "", "My own.", None)


def test_restored_prompt_has_its_variables(ready, variables, wait_until_idle):
    variables["topic"] = "tea"
    ready.set_prompt("About {topic} and {other}")
    ready.set_variable("other", "rain")
    ready.runs.run()
    wait_until_idle(ready)
    ready.set_prompt("Something else")
    ready.history.restore(1)
    assert ready.prompt.text == "About {topic} and {other}"
    assert ready.prompt.overrides() == {"other": "rain"}
    assert "rain" in ready.result.row.text


def test_running_a_restored_call_accepts_it(ready, wait_until_idle):
    ready.runs.run()
    wait_until_idle(ready)
    ready.set("system", "My own.")
    ready.history.restore(1)
    ready.runs.run()
    wait_until_idle(ready)
    assert not ready.history.can_go_back
    ready.history.go_back()
    assert ready.draft.config.system is None


def test_nothing_is_restored_during_a_run(ready, endpoint, wait_until_idle):
    ready.runs.run()
    wait_until_idle(ready)
    endpoint.latency = 30
    ready.runs.run()
    ready.history.restore(1)
    assert ready.notes["run"].text == "Another task is running. Stop it first."
    assert not ready.history.can_go_back
    ready.stop()
    wait_until_idle(ready)


def test_typed_prompts_go_with_the_history(ready, session, wait_until_idle):
    session.resize_history(3)
    for _ in range(5):
        ready.runs.run()
        wait_until_idle(ready)
    assert sorted(ready.runs.prompts) == [3, 4, 5]

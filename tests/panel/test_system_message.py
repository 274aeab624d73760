"""The system message of the panel is filled in like a cell's -s."""

from __future__ import annotations

import pytest


def sent_system(model):
    return model.result.requests[0].messages[0]["content"]


def test_variables_come_from_the_notebook_or_the_panel(ready, variables, wait_until_idle):
    variables["tone"] = "brief"
    ready.set("system", 'Be {tone} and {mood}. Answer as {"a": 1} or {{tone}}.')
    assert [(each.name, each.notebook) for each in ready.variables()] == [("tone", "brief"), ("mood", None)]
    ready.set_variable("mood", "kind")
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    assert sent_system(ready) == 'Be brief and kind. Answer as {"a": 1} or {tone}.'
    assert "-s 'Be {tone} and kind. Answer as" in ready.build_cell().text


def test_undefined_variable_is_refused_before_anything_is_sent(ready, endpoint, wait_until_idle):
    ready.set("system", "Be {tone}.")
    ready.runs.run()
    said = wait_until_idle(ready)
    assert said.startswith("The system message uses {tone}, which is not defined.")
    assert ready.result is None
    assert not ready.save()
    assert ready.notes["config"].text.startswith("The system message uses {tone}")


@pytest.mark.parametrize("system", ["Be {brief}.", "{{x}}", 'As {"a": {b}}', "plain"])
def test_saved_system_message_is_sent_as_it_is(ready, session, system, wait_until_idle):
    session.save("main", session.get("main").merged(system=system))
    assert ready.draft.is_changed is False
    ready.runs.run()
    assert wait_until_idle(ready) == ""
    assert sent_system(ready) == system


def test_saving_fills_the_variables_in(ready, session, variables):
    variables["tone"] = "brief"
    ready.set("system", "Be {tone}.")
    assert ready.save()
    assert session.get("main").system == "Be brief."
    assert not ready.draft.is_changed

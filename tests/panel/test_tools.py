"""Functions as tools in the panel: chosen, allowed or refused, and kept in the conversation."""

from __future__ import annotations

import threading

import pytest

from azml_magics.panel.model import tools
from tests.notebook.test_tools import QUESTION

TIMEOUT = 60


@pytest.fixture
def weather(ready, variables):
    """A panel whose tool is a function of the notebook."""
    called = []

    def get_weather(city: str) -> str:
        """Return the weather of a city."""
        called.append(city)
        return f"It is sunny in {city} with 21 °C."

    get_weather.__module__ = "__main__"
    variables |= {"get_weather": get_weather, "called": called, "city": "Lisbon"}
    ready.set_prompt(QUESTION)
    ready.set_option("tools", "get_weather")
    return ready


def wait_for_call(model):
    """Wait until the panel asks about a call."""
    asked = threading.Event()
    model.subscribe(lambda _parts: model.approvals.call and asked.set())
    if not model.approvals.call:
        assert asked.wait(TIMEOUT), "nothing was asked"
    return model.approvals.call


def test_functions_of_the_notebook_can_be_chosen(weather, variables):
    assert tools.find_tools(variables) == ["get_weather"]
    assert weather.check_options().lines["tools"].text == "1 tool: get_weather"


def test_a_call_waits_until_it_is_allowed(weather, variables, wait_until_idle):
    weather.runs.run()
    assert wait_for_call(weather).name == "get_weather"
    assert not variables["called"]
    weather.approvals.allow()
    wait_until_idle(weather)
    response = weather.result.row.response
    assert variables["called"] == ["Lisbon"]
    assert "21 °C" in response.text
    assert response.tool_runs[0].result


def test_a_refused_call_is_told_to_the_model(weather, variables, wait_until_idle):
    weather.runs.run()
    wait_for_call(weather)
    weather.approvals.refuse()
    wait_until_idle(weather)
    assert not variables["called"]
    assert "did not allow" in weather.result.row.response.tool_runs[0].result


def test_stop_ends_a_run_that_waits(weather, wait_until_idle):
    weather.runs.run()
    wait_for_call(weather)
    weather.stop()
    wait_until_idle(weather)
    assert weather.approvals.call is None
    assert weather.result.row.response.tool_runs[0].result is None


def test_functions_may_run_without_asking(weather, variables, wait_until_idle):
    weather.set_option("auto", "yes")
    weather.runs.run()
    wait_until_idle(weather)
    assert variables["called"] == ["Lisbon"]
    assert weather.build_cell().text.splitlines()[0].endswith("--tool $get_weather --auto")


def test_the_conversation_keeps_the_calls(weather, session, endpoint, wait_until_idle):
    weather.set_option("auto", "yes")
    weather.conversation.open("trip")
    weather.runs.run()
    wait_until_idle(weather)
    roles = [turn["role"] for turn in session.conversations["trip"].turns]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert [turn.role for turn in weather.conversation.tree.turns] == ["user", "assistant"]
    weather.set_prompt("Thank you.")
    weather.runs.run()
    wait_until_idle(weather)
    assert [message["role"] for message in endpoint.requests[-1].json()["messages"]] == [*roles, "user"]


def test_a_conversation_of_cells_is_shown_without_its_steps(weather, session, wait_until_idle):
    weather.set_option("auto", "yes")
    weather.conversation.open("trip")
    weather.runs.run()
    wait_until_idle(weather)
    session.conversations["copy"] = session.conversations["trip"]
    weather.conversation.open("copy")
    assert [turn.role for turn in weather.conversation.tree.turns] == ["user", "assistant"]
    assert len(weather.conversation.tree.turns[1].steps) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("get_wether", "no variable 'get_wether'"),
        ("get_weather, get_weather", "two tools named get_weather"),
        ("get_weather, city", "A tool is a Python function or a LangChain tool, not"),
    ],
)
def test_wrong_functions_are_named_in_their_line(weather, text, said):
    weather.set_option("tools", text)
    line = weather.check_options().lines["tools"]
    assert line.is_error
    assert said in line.text


def test_the_row_shows_the_call_and_its_buttons(weather, wait_until_idle):
    from azml_magics.panel.view.approval_row import ApprovalRow
    from azml_magics.panel.view.controls import is_visible

    row = ApprovalRow(weather.approvals)
    assert not is_visible(row.widget)
    weather.runs.run()
    wait_for_call(weather)
    row.draw()
    line, buttons = row.widget.children
    assert is_visible(row.widget)
    assert line.value == 'The model asks to run get_weather(city="Lisbon")'
    buttons.children[1].click()
    wait_until_idle(weather)
    row.draw()
    assert not is_visible(row.widget)

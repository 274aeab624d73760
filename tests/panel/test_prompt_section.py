"""The prompt, run and cell sections: input, running, and the cell that does the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.emulator import Fault
from azml_magics.panel.view import behaviour
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .widgets import choose, fire, open_panel, set_state, within

STARTS = ("Run", "Compare")


@pytest.fixture
def endpoint(azml_endpoint):
    return azml_endpoint


@pytest.fixture
def session(endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    session = Session()
    for name in ("main", "other", "third"):
        url = f"{endpoint.url}/v1/chat/completions"
        session.save(name, LLMConfig(endpoint_url=url, formatter="openai-chat", key="env:PANEL_KEY", max_retries=0))
    return session


@pytest.fixture
def panel(session):
    with open_panel(session, topic="tea", _3="an output") as panel:
        yield panel


def control(panel, kind, description):
    (found,) = [each for each in within(panel.panel.widget) if type(each) is kind and each.description == description]
    return found


def is_disabled(panel):
    return {name: control(panel, w.Button, name).disabled for name in ("Run", "Stop", "Compare")}


# ---- the prompt


def test_prompt_field_and_model_follow_each_other(panel):
    panel.type("Prompt", "Hello")
    assert panel.model.prompt.text == "Hello"
    panel.model.set_prompt("Hello there")
    assert panel.find("Prompt").value == "Hello there"
    panel.type("System", "Be brief.")
    assert panel.model.draft.config.system == "Be brief."
    panel.model.set("system", "")
    assert panel.find("System").value == ""


def test_variable_field_hints_at_the_notebook_value(panel):
    panel.type("Prompt", "About {topic} and {place}, {topic}")
    topic, place = panel.find("{topic}"), panel.find("{place}")
    assert (topic.value, topic.placeholder) == ("", "notebook: tea")
    assert place.placeholder == "not in the notebook: type a value"
    set_state(place, value="Rome")
    assert panel.model.prompt.overrides() == {"place": "Rome"}


def test_returning_variable_keeps_its_typed_value(panel):
    panel.type("Prompt", "{place}")
    panel.type("{place}", "Rome")
    before = panel.traffic.open_comms()
    panel.type("Prompt", "place")
    assert len(before - panel.traffic.open_comms()) == 1
    panel.type("Prompt", "{place}!")
    assert panel.find("{place}").value == "Rome"


def test_typing_a_name_leaves_one_field(panel):
    panel.type("Prompt", "{")
    before = len(panel.traffic.open_comms())
    for end in range(2, len("{beverage}") + 1):
        panel.type("Prompt", "{beverage}"[:end])
        panel.type("Prompt", "{beverage}"[:end] + "}")  # an editor that inserts the closing brace
    panel.type("Prompt", "{beverage}")
    assert len(panel.traffic.open_comms()) == before + 1
    assert [each.description for each in within(panel.panel.widget) if "{" in getattr(each, "description", "")] == [
        "{beverage}"
    ]


def test_variables_are_refreshed_after_a_cell():
    values = {"topic": "tea"}
    with open_panel(**values) as panel:
        panel.model._variables = lambda: values
        panel.type("Prompt", "{topic}")
        values["topic"] = "coffee"
        panel.model.refresh_variables()
        assert panel.find("{topic}").placeholder == "notebook: coffee"
        del values["topic"]
        panel.model.refresh_variables()
        assert panel.find("{topic}").placeholder == "not in the notebook: type a value"


def test_any_prompt_text_can_be_typed(panel):
    for text in ("{", "{}", "{{topic}}", "{0}", "{a.b}", "{a[0]}", "{" * 500, "\x00\ud83d", "{" + "x" * 300 + "}"):
        panel.type("Prompt", text)
        assert panel.find("Prompt").value == text


# ---- running


def test_run_sends_the_config_in_the_controls(panel, endpoint):
    panel.type("Prompt", "Tell me about {topic}")
    panel.type("System", "Be brief.")
    panel.click("Run")
    panel.wait_until_idle()
    sent = endpoint.requests[-1].json()
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Tell me about tea"},
    ]
    assert panel.model.result.row.text.startswith("A model would")


def test_only_stop_is_enabled_during_a_run(panel, endpoint):
    assert is_disabled(panel) == {"Stop": True, **dict.fromkeys(STARTS, False)}
    endpoint.script([Fault("stalled", after=3)])
    panel.type("Prompt", "Hello")
    panel.click("Run")
    assert is_disabled(panel) == {"Stop": False, **dict.fromkeys(STARTS, True)}
    assert "Running…" in panel.lines()
    panel.click("Stop")
    panel.wait_until_idle()
    assert is_disabled(panel) == {"Stop": True, **dict.fromkeys(STARTS, False)}
    assert "Running…" not in panel.lines()


def test_stop_before_the_first_byte(panel, endpoint):
    endpoint.script([Fault("slow", seconds=300)])
    panel.type("Prompt", "Hello")
    panel.click("Run")
    panel.click("Stop")
    panel.wait_until_idle()
    assert "Stopped before any text arrived." in panel.lines()


def test_late_click_is_refused_during_a_run(panel, endpoint):
    endpoint.script([Fault("stalled", after=3)])
    panel.type("Prompt", "Hello")
    panel.click("Run")
    fire(control(panel, w.Button, "Run"), "click")
    assert "Another task is running. Stop it first." in panel.lines()
    panel.click("Stop")
    panel.wait_until_idle()


def test_refused_run_shows_the_reason(panel, endpoint):
    panel.click("Run")
    assert "There is no prompt. Write one into the prompt field." in panel.lines()
    panel.type("Prompt", "{nowhere}")
    panel.click("Run")
    assert any("nowhere" in line and "Type a value into its field" in line for line in panel.lines())
    panel.type("Others, JSON", "{")
    panel.click("Run")
    assert any("not JSON at column 2" in line for line in panel.lines())
    assert endpoint.requests == []


# ---- the cell


def test_cell_follows_every_control(panel):
    cell = panel.find("As a cell")
    panel.type("Prompt", "Tell me about {place}")
    panel.type("{place}", "Rome")
    panel.model.set_kwarg("temperature", "0.3")
    assert cell.value == "%%azureml main -p temperature=0.3 -v place=Rome\nTell me about {place}"
    assert cell.disabled
    panel.model.reset_kwarg("temperature")
    choose(panel.find("Config"), "other")
    assert cell.value == "%%azureml other -v place=Rome\nTell me about {place}"


def test_note_beside_the_cell_names_what_is_missing(panel):
    panel.type("Prompt", "Hello")
    panel.type("System", "Two\nlines")
    assert any(line.startswith("A line cannot express a system message of several lines.") for line in panel.lines())


def taken(panel):
    """The outputs that ran a script."""
    return [
        output
        for each in panel.traffic.updates
        for output in each.data.get("state", {}).get("outputs", ())
        if "application/javascript" in output["data"]
    ]


@pytest.mark.parametrize(("label", "said"), [("Copy", "Copied, if"), ("Insert cell", "Inserted. Without")])
def test_copy_and_insert_run_one_script(panel, label, said):
    panel.type("Prompt", "Hello")
    cell = [each for each in within(panel.panel.widget) if getattr(each, "description", "") == label][-1]
    panel.traffic.clear()
    cell.click()
    (output,) = taken(panel)
    assert '"%%azureml main\\nHello"' in output["data"]["application/javascript"]
    assert any(line.startswith(said) for line in panel.lines())
    panel.type("Prompt", "Hello again")
    assert not any(line.startswith(said) for line in panel.lines())


def test_no_script_with_a_prompt_stays_in_a_widget(panel):
    panel.type("Prompt", "Hello")
    panel.click("Insert cell")
    outputs = [each for each in within(panel.panel.widget) if isinstance(each, w.Output)]
    shown = [output["data"] for each in outputs for output in each.outputs]
    (script,) = [data["application/javascript"] for data in shown if "application/javascript" in data]
    assert script == Path(behaviour.__file__).with_name("behaviour.js").read_text("utf-8")


@pytest.mark.parametrize("hostile", ["</script><script>alert(1)</script>", "`${alert(1)}`", "\u2028alert(1)", "\\';--"])
def test_any_prompt_is_a_string_in_the_script(panel, hostile):
    panel.type("Prompt", hostile)
    panel.traffic.clear()
    panel.click("Insert cell")
    (output,) = taken(panel)
    script = output["data"]["application/javascript"]
    assert "<" not in script
    literal = re.search(r'^const text = (".*");$', script, re.MULTILINE)[1]
    assert literal.isascii()
    assert json.loads(literal) == f"%%azureml main\n{hostile}"

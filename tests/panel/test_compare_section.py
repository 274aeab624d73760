"""The Compare fold as a frontend sees it: choices, what they send, the question before many requests, and the cell."""

from __future__ import annotations

import ipywidgets as w
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.panel.view.compare_section import CompareSection
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .widgets import choose, click, open_panel, set_state, visible_within


@pytest.fixture
def session(azml_endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    made = Session()
    url = f"{azml_endpoint.url}/v1/chat/completions"
    for name in ("second", "third", "main"):
        made.save(name, LLMConfig(endpoint_url=url, key="env:PANEL_KEY", max_retries=0))
    made.use("main")
    return made


@pytest.fixture
def panel(session):
    with open_panel(session) as panel:
        panel.type("Prompt", "Hello")
        yield panel


def buttons(panel):
    names = ("Compare", "Send all", "Insert comparison")
    return [
        each.description for each in visible_within(panel.panel.widget) if getattr(each, "description", "") in names
    ]


def test_fold_is_named_compare_and_built_when_opened(session):
    with open_panel(session, folded=True) as panel:
        titles = [each.titles for each in visible_within(panel.panel.widget) if isinstance(each, w.Accordion)]
        assert ("Compare",) in titles
        assert not any(isinstance(each, w.SelectMultiple) for each in visible_within(panel.panel.widget))


def test_choices_say_what_they_send(panel, azml_endpoint):
    assert "Choose configs, parameters or a number of times to compare." in panel.lines()
    assert buttons(panel) == ["Compare"]
    configs = panel.find("With configs")
    assert configs.options == ("second", "third")
    set_state(configs, index=[0, 1])
    panel.type("Parameters", "temperature=0, 1")
    panel.type("Times", 2)
    (said,) = [line for line in panel.lines() if line.startswith("3 configs")]
    assert said.startswith("3 configs x 2 values of temperature x 2 times = 12 requests, prompts of about 108 tokens")
    assert panel.find("Compare cell").value.startswith(
        "%%azureml --compare main,second,third --sweep temperature=0,1 -n 2"
    )
    panel.click("Compare")
    panel.wait_until_idle()
    assert len(azml_endpoint.requests) == 12


def test_parameter_is_added_from_the_list(panel):
    (adds,) = [
        each for each in visible_within(panel.panel.widget) if getattr(each, "options", ())[:1] == ("add a parameter",)
    ]
    panel.model.set_kwarg("temperature", "0.5")
    choose(adds, "temperature")
    assert panel.find("Parameters").value == "temperature=0.5"
    assert adds.value == "add a parameter"


def test_question_before_many_requests(panel, azml_endpoint):
    panel.type("Times", 20)
    panel.click("Compare")
    assert any(
        line.startswith("That is 20 requests, prompts of about ") and "Send all" in line for line in panel.lines()
    )
    assert "Compare" not in buttons(panel)
    (cancel,) = [each for each in visible_within(panel.panel.widget) if getattr(each, "description", "") == "Cancel"]
    click(cancel)
    assert "Compare" in buttons(panel)
    panel.click("Compare")
    panel.click("Send all")
    panel.wait_until_idle()
    assert len(azml_endpoint.requests) == 20


def test_wrong_line_is_said_at_once(panel):
    panel.type("Parameters", "temperature")
    assert any(line.startswith("'temperature' has no values.") for line in panel.lines())
    assert "Insert comparison" not in buttons(panel)


def test_without_another_config_it_says_so():
    session = Session()
    session.save("main", LLMConfig(endpoint_url="http://127.0.0.1:9/score", formatter="hf", key=None))
    with open_panel(session) as panel:
        assert "Save another config to compare this one with." in panel.lines()
        panel.type("Prompt", "Hello")
        panel.click("Compare")
        assert any(line.startswith("There is nothing to compare.") for line in panel.lines())


def test_estimate_stands_quietly_below_run(panel):
    assert "Prompt: about 9 tokens (estimated: bytes / 4)" in panel.lines()
    panel.type("Prompt", "")
    assert not any(line.startswith("Prompt: about") for line in panel.lines())


def test_section_names_what_it_draws():
    assert {"comparison", "draft", "state", "prompt"} <= CompareSection.parts

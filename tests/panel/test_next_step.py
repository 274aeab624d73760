"""The button beside a status line: the next step that an error asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from azml_magics.core import key_sources, trust
from azml_magics.core.config import LLMConfig
from azml_magics.core.secret import Secret
from azml_magics.panel.remedies import REMEDIES
from azml_magics.panel.view import next_step
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session
from tests.test_remedies import known_codes

from .widgets import choose, click, open_panel, set_state, visible_within, within


@pytest.fixture(autouse=True)
def user_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    trust.forget()
    yield
    trust.forget()
    key_sources.forget_typed_keys()


@pytest.fixture
def chat(azml_endpoint):
    return LLMConfig(endpoint_url=f"{azml_endpoint.url}/v1/chat/completions", key="env:NEXT_STEP_KEY", max_retries=0)


def opened(config, **how):
    session = Session()
    session.save("main", config)
    return open_panel(session, **how)


def run(panel):
    panel.type("Prompt", "Hello")
    panel.click("Run")
    panel.wait_until_idle()


def steps(panel):
    """The visible buttons beside status lines."""
    return [each for each in visible_within(panel.panel.widget) if "azml-next" in each._dom_classes]


def take_step(panel, label):
    (button,) = steps(panel)
    assert button.description == label
    click(button)


def focused(panel):
    """The descriptions of the controls that were given the focus."""
    controls = {each.model_id: each for each in within(panel.panel.widget)}
    asked = [each for each in panel.traffic.messages if each.data.get("content") == {"do": "focus"}]
    return [controls[each.comm_id].description for each in asked]


def test_trust_stands_beside_the_message_and_then_it_runs(chat, monkeypatch, tmp_path):
    monkeypatch.setenv("NEXT_STEP_KEY", KEY)
    with opened(replace(chat, file=str(tmp_path / "main.json"))) as panel:
        run(panel)
        assert any("sends NEXT_STEP_KEY to 127.0.0.1" in line for line in panel.lines())
        take_step(panel, "Trust")
        assert focused(panel) == ["Run"]
        assert steps(panel) == []
        panel.click("Run")
        panel.wait_until_idle()
        assert panel.model.result.row.error is None


def test_trust_goes_when_the_url_is_edited(chat, monkeypatch, tmp_path):
    monkeypatch.setenv("NEXT_STEP_KEY", KEY)
    with opened(replace(chat, file=str(tmp_path / "main.json"))) as panel:
        run(panel)
        panel.type("URL", "http://127.0.0.1:9/v1/chat/completions")
        assert steps(panel) == []


def test_trust_stands_beside_a_test_that_was_refused(chat, monkeypatch, tmp_path):
    monkeypatch.setenv("NEXT_STEP_KEY", KEY)
    with opened(replace(chat, file=str(tmp_path / "main.json"))) as panel:
        panel.click("Test")
        panel.wait_until_idle()
        take_step(panel, "Trust")
        panel.click("Test")
        panel.wait_until_idle()
        assert any(line.startswith("It works") for line in panel.lines())


def test_missing_key_leads_to_its_field(chat):
    with opened(chat, folded=True) as panel:
        run(panel)
        take_step(panel, "Type the key")
        assert focused(panel) == ["API key"]
        assert panel.panel._endpoint.is_open
        set_state(panel.find("API key"), value=KEY)
        panel.click("Run")
        panel.wait_until_idle()
        assert panel.model.result.row.error is None
        assert steps(panel) == []


def test_missing_formatter_is_detected(azml_endpoint):
    with opened(LLMConfig(endpoint_url=f"{azml_endpoint.url}/score", key=None)) as panel:
        key_sources.remember_key(azml_endpoint.url, Secret(KEY))
        panel.model.set("key", "ask")
        run(panel)
        take_step(panel, "Detect")
        panel.wait_until_idle()
        assert any(line.startswith("Detected openai-chat") for line in panel.lines())
        assert panel.find("Formatter").value == "openai-chat"


def test_missing_endpoint_leads_to_connect():
    with open_panel() as panel:
        run(panel)
        assert "There is no endpoint. Type its URL, or choose a config." in panel.lines()
        take_step(panel, "Connect")
        (form,) = panel.open_forms()
        assert focused(panel) == ["Endpoint URL"]
        assert panel.find("Endpoint URL", at=form) in visible_within(form)


def test_connect_without_a_key_leads_to_its_own_field(azml_endpoint):
    with open_panel() as panel:
        panel.click("Connect my endpoint")
        (form,) = panel.open_forms()
        set_state(panel.find("Endpoint URL", at=form), value=f"{azml_endpoint.url}/v1/chat/completions")
        choose(panel.find("Key source", at=form), "ask")
        panel.click("Connect")
        panel.traffic.clear()
        take_step(panel, "Type the key")
        assert focused(panel) == ["Endpoint key"]


def test_every_code_of_a_button_is_one_of_an_error():
    own = {"formatter-field"}
    assert set(next_step._BUTTONS) - own <= known_codes()
    assert {"untrusted-config", "no-key-typed"} <= set(REMEDIES)

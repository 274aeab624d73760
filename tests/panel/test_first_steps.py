"""The first minute: an empty panel, the demo, and an endpoint that is tested and detected by itself."""

from __future__ import annotations

import pytest

from azml_magics.core import key_sources
from azml_magics.core.config import LLMConfig
from azml_magics.panel.model.panel_model import PanelModel
from azml_magics.pytest_plugin import KEY
from azml_magics.session import Session

from .widgets import choose, open_panel, set_state, visible_within

WELCOME = "There is no config yet. Start with one of these:"


@pytest.fixture
def empty():
    with open_panel() as panel:
        yield panel


@pytest.fixture(autouse=True)
def _no_typed_keys():
    yield
    key_sources.forget_typed_keys()


def shows(panel, text):
    return any(getattr(each, "value", "") == text for each in visible_within(panel.panel.widget))


def fill_in(panel, url, key):
    panel.click("Connect my endpoint")
    (form,) = panel.open_forms()
    set_state(panel.find("Endpoint URL", at=form), value=url)
    choose(panel.find("Key source", at=form), key)
    return form


def test_welcome_is_shown_until_there_is_a_config(empty):
    assert shows(empty, WELCOME)
    empty.model.session.save("mine", LLMConfig(endpoint_url="http://127.0.0.1:9/score", key=None))
    assert not shows(empty, WELCOME)


def test_demo_button_starts_the_demo(chat, wait_until_idle):
    session = Session()
    model = PanelModel(session, start_demo=lambda: session.save("demo", chat))
    model.connection.try_demo()
    assert wait_until_idle(model, "connect") == "The demo runs: press Run, or Ctrl+Enter in the prompt."
    assert (model.name, model.prompt.text) == ("demo", "Write a haiku about sparkling water.")
    model.close()


def test_model_button_is_there_if_a_model_can_be_started(chat, wait_until_idle):
    session = Session()
    model = PanelModel(session, start_model=lambda: session.save("local", chat))
    assert model.connection.has_model
    assert not PanelModel(Session()).connection.has_model
    model.connection.try_model()
    assert wait_until_idle(model, "connect") == "The model runs: press Run, or Ctrl+Enter in the prompt."
    assert model.name == "local"
    model.close()


def test_model_that_is_not_installed_has_no_button(empty):
    assert not any(
        getattr(each, "description", "") == "Run a small model" for each in visible_within(empty.panel.widget)
    )


@pytest.mark.parametrize(("path", "formatter"), [("/v1/chat/completions", ""), ("/score", "openai-chat")])
def test_pasted_url_and_typed_key_become_a_working_config(empty, azml_endpoint, path, formatter):
    form = fill_in(empty, f"{azml_endpoint.url}{path}", "ask")
    empty.traffic.clear()
    set_state(empty.find("Endpoint key", at=form), value=KEY)
    empty.click("Connect")
    empty.wait_until_idle()
    (said,) = [line for line in empty.lines() if "Saved as" in line]
    assert said.startswith("It works: ")
    assert said.endswith(" Saved as local for this session.")
    assert empty.find("Config").value == "local"
    assert empty.model.session.get("local").formatter == formatter
    assert empty.open_forms() == []
    assert KEY not in str([each.data for each in empty.traffic.messages])


def test_what_fails_is_said_in_place(empty):
    fill_in(empty, "http://127.0.0.1:9/v1/chat/completions", "none")
    empty.click("Connect")
    empty.wait_until_idle()
    assert any(line.startswith("reach: ") for line in empty.lines())
    assert empty.model.session.names() == []
    assert empty.open_forms()


def test_connect_without_a_url_says_what_to_do(empty):
    fill_in(empty, "", "none")
    empty.click("Connect")
    assert "There is no URL. Paste the endpoint's URL, or press Find." in empty.lines()


def test_keep_writes_the_config_for_new_sessions(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    session = Session()
    session.save("main", LLMConfig(endpoint_url="http://127.0.0.1:9/score", key=None))
    with open_panel(session) as panel:
        panel.click("Keep")
        assert any(line.startswith("Kept main beyond this kernel") for line in panel.lines())
    assert session.get_saved("main").kept is not None

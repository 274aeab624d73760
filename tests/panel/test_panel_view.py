"""The whole panel: displayed, drawn, closed, and saved in a notebook."""

from __future__ import annotations

import contextvars
import json
import random
import threading

import ipywidgets as w
import pytest

from azml_magics import panel as panels
from azml_magics.core import key_sources
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.emulator import Emulator, Fault
from azml_magics.panel.model.changes import ALL
from azml_magics.session import Session

from .widgets import TIMEOUT, Traffic, choose, click, open_panel, raise_logged_failures, set_state, within

KEY = "view-typed-5up3r-s3cr3t"
CONFIG = LLMConfig(endpoint_url="http://127.0.0.1:9/v1/chat/completions", formatter="openai-chat", key=None)
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def session():
    session = Session()
    session.save("main", CONFIG)
    session.save("other", LLMConfig(endpoint_url="http://127.0.0.1:9/score", formatter="gpt2", key="env:OTHER"))
    return session


@pytest.fixture
def panel(session):
    with open_panel(session, topic="tea") as panel:
        yield panel


@pytest.fixture
def endpoint():
    with Emulator(key=KEY) as running:
        yield running


# ---- the script


def test_script_hears_whether_the_kernel_has_what_was_typed(panel):
    asked, answered = (
        next(each for each in within(panel.panel.widget) if f"azml-{name}" in each._dom_classes)
        for name in ("asked", "answered")
    )
    panel.type("Prompt", 'Hello "you"\nthere')
    asked.value = json.dumps(["1"])
    assert answered.value == "1 all"
    asked.value = json.dumps(["2", 'Hello "you"\nthere'])
    assert answered.value == "2 all"
    asked.value = json.dumps(["3", "Hello"])
    assert answered.value == "3 missing"


# ---- display


def test_repr_is_one_short_line(panel, session):
    assert repr(panel.panel) == "azml-magics panel (main)"
    session.use("other")
    assert repr(panel.panel) == "azml-magics panel (other)"


def test_repr_without_a_config():
    with open_panel() as panel:
        assert repr(panel.panel) == "azml-magics panel (new config)"


def test_second_display_shows_the_same_widgets(panel):
    first, second = panel.panel._repr_mimebundle_(), panel.panel._repr_mimebundle_(include=None, exclude=None)
    assert first == second
    assert first[VIEW]["model_id"] == panel.panel.widget.model_id
    assert first["text/plain"] == "azml-magics panel (main)"


def test_process_has_one_panel(session):
    with raise_logged_failures(), Traffic().recording() as traffic:
        assert panels.get_open_panel() is None
        shown = panels.get_panel(session, dict)
        assert panels.get_panel(Session(), dict) is shown is panels.get_open_panel()
        panels.close()
        assert panels.get_open_panel() is None
        panels.close()
        assert traffic.open_comms() == set()


def test_panel_has_stock_widgets_only(panel):
    for each in within(panel.panel.widget):
        assert each._view_module in {"@jupyter-widgets/controls", "@jupyter-widgets/output", "@jupyter-widgets/base"}


def test_only_html_is_the_style_sheet(panel):
    # and the table of the test cases, which escapes everything: test_cases_section.py
    pages = [each for each in within(panel.panel.widget) if isinstance(each, w.HTML)]
    (sheet,) = [each for each in pages if "azml-cases" not in each._dom_classes]
    assert sheet.value.startswith("<style>")
    assert sheet.value.endswith("</style>")


def test_no_description_allows_html(panel):
    for each in within(panel.panel.widget):
        assert not getattr(each, "description_allow_html", False), each


# ---- drawing


def everything(panel):
    with panel.model.changing(*ALL):
        pass


def test_redraw_sends_nothing(panel):
    panel.type("Prompt", "Tell me about {topic}")
    panel.model.set_kwarg("temperature", "0.3")
    panel.model.set_kwarg("stop", ("END",))
    panel.traffic.clear()
    everything(panel)
    assert panel.traffic.messages == []


def test_drawing_calls_no_action(panel, session, monkeypatch):
    """Every action is replaced while everything is drawn for another config."""
    acted = []
    for name in (
        "choose",
        "new",
        "save",
        "set",
        "set_kwarg",
        "reset_kwarg",
        "set_other_kwargs",
        "set_prompt",
        "set_variable",
        "stop",
    ):
        monkeypatch.setattr(panel.model, name, lambda *given, name=name: acted.append((name, given)))
    for name in ("run", "compare"):
        monkeypatch.setattr(panel.model.runs, name, lambda *given, name=name: acted.append((name, given)))
    for name in ("test", "detect"):
        monkeypatch.setattr(panel.model.checks, name, lambda *given, name=name, **_: acted.append((name, given)))
    for name in ("restore", "undo", "rate", "set_name", "set_note", "export"):
        monkeypatch.setattr(panel.model.versions, name, lambda *given, name=name: acted.append((name, given)))
    for name in ("other", "main"):
        session.use(name)
        everything(panel)
    session.record(CONFIG, [{"role": "user", "content": "Hello"}], Response("Tea."))
    for tab in range(6):
        (tabs,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
        set_state(tabs, selected_index=tab)
    assert acted == []


def test_worker_draws_in_the_context_of_the_click(panel, endpoint):
    """ipykernel 7.0 keeps there what it needs to send an update; a new thread has an empty context."""
    asked_in = contextvars.ContextVar("asked_in", default="nowhere")
    drawn_in = []
    panel.type("URL", f"{endpoint.url}/v1/chat/completions")
    panel.type("Prompt", "Hello")
    panel.model.subscribe(lambda _: drawn_in.append((threading.current_thread().name, asked_in.get())))
    asked_in.set("a message")
    panel.click("Run")
    panel.wait_until_idle()
    assert {name for name, _ in drawn_in} == {"MainThread", "azml-magics-panel"}
    assert {where for _, where in drawn_in} == {"a message"}


def test_restored_state_is_drawn_without_actions(panel, session):
    config = LLMConfig(
        endpoint_url="http://127.0.0.1:9/score",
        formatter="gpt2",
        key=None,
        name="other",
        model_kwargs={"temperature": 5, "do_sample": True, "stop": ["END"], "new": {"a": 1}},
    )
    exchange = session.record(config, [{"role": "user", "content": "Hello {you}"}], Response("Tea."))
    panel.model.history.restore(exchange.number)
    assert panel.model.draft.config.model_kwargs == config.model_kwargs
    assert panel.find("Prompt").value == "Hello {{you}}"
    assert json.loads(panel.find("Others, JSON").value) == {"new": {"a": 1}}


def test_headings_summarise_their_sections(panel):
    def titles():
        return [each.titles[0] for each in within(panel.panel.widget) if isinstance(each, w.Accordion)]

    expected = ["Endpoint: 127.0.0.1:9", "Conversation: one prompt", "Attachments", "Network", "Other model kwargs"]
    expected += ["Schema and tools", "Test cases", "Compare"]
    assert sorted(titles()) == sorted(expected)
    panel.model.set_kwarg("seed", "3")
    panel.type("Proxy", "none")
    assert "Network: 1 set" in titles()
    assert "Other model kwargs: 1 sent" in titles()
    panel.type("URL", "")
    assert "Endpoint" in titles()


def controls(panel):
    """Every control that a user can change, with possible values."""
    rnd = random.Random(4)
    for each in within(panel.panel.widget):
        if isinstance(each, w.Dropdown | w.Select) and each.options:
            yield each, {"index": rnd.randrange(len(each.options))}
        elif isinstance(each, w.TagsInput):
            yield each, {"value": ["a", "b"]}
        elif isinstance(each, w.FloatSlider):
            yield each, {"value": (each.min + each.max) / 2}
        elif isinstance(each, w.BoundedIntText):
            yield each, {"value": 2}
        elif isinstance(each, w.Checkbox):
            yield each, {"value": True}
        elif isinstance(each, w.Text | w.Textarea) and not each.disabled:
            yield each, {"value": rnd.choice(["", "text", "1", "{x}", "<b>", "{", "http://127.0.0.1:9/score"])}


def test_view_and_model_agree_after_any_input(panel):
    rnd = random.Random(7)
    for _ in range(6):
        for control, state in rnd.sample(changes := list(controls(panel)), len(changes)):
            if control.comm is not None:  # not removed by an earlier change
                set_state(control, **state)
        panel.traffic.clear()
        everything(panel)
        assert panel.traffic.messages == []
        draft = panel.model.draft
        assert panel.find("URL").value == draft.texts["endpoint_url"]
        assert panel.find("Prompt").value == panel.model.prompt.text
        assert panel.find("Config").value == panel.model.name
        assert panel.find("Formatter").value == draft.texts["formatter"]


# ---- saved state


def state_of_all_widgets():
    return json.dumps(w.Widget.get_manager_state(), default=str)


def test_no_widget_state_contains_a_key(session, endpoint, monkeypatch):
    monkeypatch.setenv("PANEL_KEY", KEY)
    url = f"{endpoint.url}/v1/chat/completions"
    session.save("live", LLMConfig(endpoint_url=url, formatter="openai-chat", key="env:PANEL_KEY", max_retries=0))
    session.use("live")
    with open_panel(session) as panel:
        panel.type("Prompt", "Hello")
        (tabs,) = [each for each in within(panel.panel.widget) if isinstance(each, w.Tab)]
        folds = [each for each in within(panel.panel.widget) if isinstance(each, w.Accordion)]
        for fold in folds:
            set_state(fold, selected_index=0)
        for key in ("env:PANEL_KEY", "ask"):
            if key == "ask":
                set_state(panel.find("API key"), value=KEY)
                assert panel.find("Key").value == "ask"
            for outcome in (None, Fault("401"), Fault("400", message=f"bad key {KEY}")):
                endpoint.script([outcome] * 3)
                panel.click("Run")
                panel.wait_until_idle()
                for tab in range(6):
                    set_state(tabs, selected_index=tab)
                for language in ("langchain", "python", "curl"):
                    choose(panel.find("Language"), language)
                panel.click("Test")
                panel.wait_until_idle()
                assert KEY not in state_of_all_widgets()
        assert any(request.headers.get("authorization") == f"Bearer {KEY}" for request in endpoint.requests)
        assert KEY not in json.dumps([each.data for each in panel.traffic.messages], default=str)
        assert "Hello" in state_of_all_widgets()  # the state of these widgets


def test_refused_key_is_not_shown(session, endpoint):
    url = f"{endpoint.url}/v1/chat/completions"
    session.save("live", LLMConfig(endpoint_url=url, formatter="openai-chat", key=None, max_retries=0))
    session.use("live")
    with open_panel(session) as panel:
        set_state(panel.find("API key"), value="wr0ng-s3cr3t-key")
        panel.type("Prompt", "Hello")
        panel.click("Run")
        panel.wait_until_idle()
        assert any("Check the key" in line for line in panel.lines())
        assert "wr0ng-s3cr3t-key" not in state_of_all_widgets()


# ---- closing


def test_close_closes_every_comm(session):
    with open_panel(session, topic="tea") as panel:
        panel.type("Prompt", "{a} {b} {topic}")
        for name in ("other", "main", "other"):
            session.use(name)
        panel.type("Prompt", "{b}")
        panel.panel.close()
        assert panel.traffic.open_comms() == set()
        assert not set(within(panel.panel.widget)) & set(w.Widget.get_manager_state()["state"])
        panel.panel.close()


def test_closed_panel_ignores_session_changes(session):
    with open_panel(session) as panel:
        panel.panel.close()
        panel.traffic.clear()
        session.use("other")
        session.record(CONFIG, [], Response("Tea."))
        assert panel.traffic.messages == []


def test_close_during_a_run_records_nothing(session, endpoint):
    endpoint.script([Fault("stalled", after=3)])
    key_sources.remember_key(endpoint.url, Secret(KEY))
    url = f"{endpoint.url}/v1/chat/completions"
    session.save("live", LLMConfig(endpoint_url=url, formatter="openai-chat", key="ask"))
    session.use("live")
    arrived = threading.Event()
    with open_panel(session) as panel:
        panel.type("Prompt", "Hello")
        panel.model.subscribe(lambda _: arrived.set() if panel.model.result.row.text else None)
        panel.click("Run")
        assert arrived.wait(TIMEOUT)
        panel.panel.close()
        panel.wait_until_idle()
        assert panel.traffic.open_comms() == set()
        assert session.history == []


def test_mime_bundle_of_closed_panel_is_text(panel):
    panel.panel.close()
    assert panel.panel._repr_mimebundle_() == {"text/plain": "azml-magics panel (main)"}


def test_clicks_after_close_do_nothing(panel, session):
    panel.open_menu()
    save = panel.find("Delete", w.Button)
    panel.panel.close()
    click(save)
    assert session.names() == ["main", "other"]

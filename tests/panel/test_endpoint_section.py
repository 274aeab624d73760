"""The Endpoint section: its fields, the sign beside the key, and a typed API key."""

from __future__ import annotations

import json

import ipywidgets as w
import pytest

from azml_magics.core import key_sources
from azml_magics.core.keys import KeyRef

from .sections import URL, panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import set_state

KEY = "typed-0nce-s3cr3t"


FIELDS = {
    "URL": ("endpoint_url", "http://127.0.0.1:9/score"),
    "Deployment": ("deployment_name", "blue"),
    "Key": ("key", "env:SOME_KEY"),
    "Model": ("model", "phi-4"),
    "API version": ("api_version", "2024-05-01-preview"),
    "Timeout": ("timeout", "12.5"),
    "Retries": ("max_retries", "0"),
}


@pytest.mark.parametrize("description", FIELDS)
def test_field_and_config_follow_each_other(panel, description):
    field, text = FIELDS[description]
    panel.type(description, text)
    value = getattr(panel.model.draft.config, field)
    assert (f"{value:g}" if isinstance(value, float) else str(value)) == text
    panel.click("Revert")
    assert panel.find(description).value == panel.model.draft.texts[field]
    panel.model.set(field, text)
    assert panel.find(description).value == text


def test_type_is_chosen_or_follows_the_url(panel):
    kind = panel.find("Type")
    assert kind.value == ""
    assert "serverless" in " ".join(panel.lines())
    set_state(kind, index=1)
    assert panel.model.draft.config.endpoint_api_type == "dedicated"
    set_state(kind, index=0)
    assert panel.model.draft.config.endpoint_api_type == "serverless"


def test_kind_says_what_the_wire_adds(panel):
    panel.type("URL", "https://r.services.ai.azure.com/anthropic")
    panel.model.set("formatter", "anthropic-messages")
    said = "serverless: Claude in Foundry. max_tokens is not set: 4096 is sent, because the route requires a limit."
    assert said in panel.lines()


@pytest.mark.parametrize(
    ("description", "text", "said"),
    [
        ("URL", "nonsense", "URL"),
        ("Timeout", "soon", "soon"),
        ("Retries", "1.5", "'1.5' is not a whole number"),
        ("Key", "env:", "incomplete"),
    ],
)
def test_error_is_shown_beside_the_typed_text(panel, description, text, said):
    panel.type(description, text)
    assert panel.find(description).value == text
    assert [line for line in panel.lines() if said in line]
    panel.click("Revert")
    assert not [line for line in panel.lines() if said in line]


def test_sign_shows_the_key_status(panel, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "value")
    signs = {}
    for key in ("none", "env:SOME_KEY", "env:NOT_SET", "ask", "entra"):
        panel.type("Key", key)
        (signs[key],) = [line for line in panel.lines() if line[:1] in "✓✗?"]
    assert signs == {
        "none": "✓ no key is sent",
        "env:SOME_KEY": "✓ SOME_KEY is set",
        "env:NOT_SET": "✗ NOT_SET is not set: set it before starting Jupyter, or type the key below",
        "ask": "✗ type the key below",
        "entra": "? a token is fetched when needed",
    }


def test_checks_are_disabled_without_a_url(panel):
    panel.type("URL", "")
    assert all(panel.find(name, w.Button).disabled for name in ("Test", "Detect", "Probe"))
    panel.type("URL", URL)
    assert not any(panel.find(name, w.Button).disabled for name in ("Test", "Detect", "Probe"))


# ---- a typed key


def texts_of(traffic):
    return json.dumps([each.data for each in traffic.messages])


def test_typed_key_is_kept_in_memory_only(panel):
    box = panel.find("API key")
    set_state(box, value=KEY)
    assert box.value == ""
    assert panel.model.draft.config.key == KeyRef("ask")
    assert key_sources.is_typed(URL)
    assert KeyRef("ask").resolve(URL).reveal() == KEY
    assert "The key is kept in memory for this session. It is not saved." in panel.lines()
    assert "✓ typed, for this session" in panel.lines()
    assert KEY not in texts_of(panel.traffic)
    assert KEY not in json.dumps(w.Widget.get_manager_state(), default=str)
    assert KEY not in repr(vars(panel.model)) + repr(vars(panel.model.draft)) + repr(box)


def test_frontend_copy_of_the_key_is_emptied(panel):
    panel.traffic.clear()
    box = panel.find("API key")
    set_state(box, value=KEY)
    ours = [each.data["state"] for each in panel.traffic.updates if each.comm_id == box.comm.comm_id]
    assert ours == [{"value": ""}]


def test_second_key_replaces_the_first(panel):
    for key in (KEY, "an0ther-key", "an0ther-key"):
        set_state(panel.find("API key"), value=key)
        assert KeyRef("ask").resolve(URL).reveal() == key
        assert panel.find("API key").value == ""


def test_key_without_url_is_refused(panel):
    panel.type("URL", "")
    set_state(panel.find("API key"), value=KEY)
    assert panel.find("API key").value == ""
    assert "An API key belongs to an endpoint. Type the URL first." in panel.lines()
    assert KEY not in texts_of(panel.traffic)


def test_key_in_the_reference_field_is_refused(panel):
    panel.type("Key", KEY)
    assert any("not a key reference" in line for line in panel.lines())
    assert panel.model.draft.config.key is None
    assert KEY not in panel.find("Key").value
    assert KEY not in texts_of(panel.traffic)  # not as an echo either

"""The Network fold: headers, certificates, the proxy, plain http, and the time that a request may take in all."""

from __future__ import annotations

import pytest

from azml_magics.core.config import LLMConfig

from .sections import URL, panel_over, two_configs  # noqa: F401 - fixtures are found by their names
from .widgets import set_state

PLAIN_HTTP = "Send the key over plain http, readable on its way"
FIELDS = {  # label -> (field of the config, typed, value, what the cell has)
    "Headers": (
        "headers",
        "X-Team=nlp\nApim=env:APIM_KEY",
        {"X-Team": "nlp", "Apim": "env:APIM_KEY"},
        "--header X-Team=nlp --header Apim=env:APIM_KEY",
    ),
    "Key header": ("key_header", "X-Key", "X-Key", "--key-header X-Key"),
    "Certificates": ("verify", "/etc/company.pem", "/etc/company.pem", "--verify /etc/company.pem"),
    "Proxy": ("proxy", "env:COMPANY_PROXY", "env:COMPANY_PROXY", "--proxy env:COMPANY_PROXY"),
    "Total timeout": ("total_timeout", "0.75", 0.75, "--total-timeout 0.75"),
    PLAIN_HTTP: ("allow_http", True, True, "--allow-http"),
}


@pytest.mark.parametrize("label", FIELDS)
def test_field_changes_the_config_and_the_cell(panel, label):
    field, typed, value, words = FIELDS[label]
    panel.type("Prompt", "Hello")
    panel.type(label, typed)
    found = getattr(panel.model.draft.config, field)
    assert ({name: str(each) for name, each in found.items()} if field == "headers" else found) == value
    assert panel.find("As a cell").value == f"%%azureml main {words}\nHello"
    panel.click("Revert")
    assert not panel.find(label).value


def test_saved_values_are_shown_and_can_be_removed(panel, session):
    session.save("far", LLMConfig(endpoint_url=URL, key=None, verify=False, headers={"X-Team": "nlp", "X-A": "1"}))
    panel.type("Config", "far")
    assert panel.find("Certificates").value == "off"
    panel.type("Headers", "X-A=1")
    assert dict(panel.model.draft.config.headers) == {"X-A": "1"}
    assert "--header X-Team=none" in panel.find("As a cell").value
    panel.type("Certificates", "")
    assert panel.model.draft.config.verify is None
    assert any("A line cannot express verify." in line for line in panel.lines())


@pytest.mark.parametrize(
    ("label", "typed", "said"),
    [
        ("Headers", "X-Team", "'X-Team' is not a header"),
        ("Headers", "Host=elsewhere", "belongs to the connection"),
        ("Total timeout", "soon", "soon"),
        ("Proxy", "http://me:secret@proxy:1", "held a user name or password"),
    ],
)
def test_error_is_shown_beside_the_typed_text(panel, label, typed, said):
    panel.type(label, typed)
    assert any(said in line for line in panel.lines())
    panel.click("Run")
    assert any(said in line for line in panel.lines())
    assert panel.model.result is None


def test_key_in_a_header_is_refused_and_not_kept(panel):
    panel.traffic.clear()
    set_state(panel.find("Headers"), value="X-Team=nlp\napi-key=sk-0123456789abcdef")
    assert panel.find("Headers").value == "X-Team=nlp\napi-key=(not kept)"
    assert any("looked like a key" in line for line in panel.lines())
    assert "sk-0123456789abcdef" not in str(panel.traffic.messages)
    assert dict(panel.model.draft.config.headers) == {}


def test_password_of_a_proxy_is_not_kept(panel):
    panel.traffic.clear()
    panel.type("Proxy", "http://me:very-secret@proxy:1")
    assert panel.find("Proxy").value == "(not kept)"
    assert "very-secret" not in str(panel.traffic.messages)


def test_key_in_memory_survives_a_change_of_another_header(panel, session):
    session.save("safe", LLMConfig(endpoint_url=URL, key=None, headers={"api-key": "sk-0123456789abcdef"}))
    panel.type("Config", "safe")
    assert panel.find("Headers").value == "api-key=(in memory)"
    panel.type("Headers", "api-key=(in memory)\nX-Team=nlp")
    assert panel.model.draft.config.headers["api-key"] == session.get("safe").headers["api-key"]
    assert "sk-0123456789abcdef" not in panel.find("Headers").value

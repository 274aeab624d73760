"""Connect's Find: what a sign-in can see, in an emulated Azure; one of it picked, saved and run."""

from __future__ import annotations

import pytest

from azml_magics.azure import identity
from azml_magics.core import key_sources
from azml_magics.emulator.control_plane import ControlPlane

from .widgets import choose, open_panel, set_state, within

pytest.importorskip("azure.identity")


@pytest.fixture
def azure(monkeypatch, tmp_path):
    """An emulated Azure that this process is signed in to; the current folder names no workspace."""
    monkeypatch.chdir(tmp_path)
    identity.forget_tokens()
    with ControlPlane() as plane:
        for name, value in plane.environment.items():
            monkeypatch.setenv(name, value)
        yield plane
    identity.forget_tokens()
    key_sources.forget_typed_keys()


@pytest.fixture
def panel():
    with open_panel() as opened:
        yield opened


@pytest.fixture
def found(azure, panel):
    """A panel that has found what there is."""
    find(panel)
    return panel


def find(panel):
    panel.click("Connect my endpoint")
    panel.click("Find")
    panel.wait_until_idle()


def labels(panel):
    return [label for label, index in panel.find("Found").options if index is not None]


def pick(panel, beginning):
    (index,) = [index for index, label in enumerate(labels(panel)) if label.startswith(beginning)]
    choose(panel.find("Found"), index)


def key_field(panel):
    (form,) = panel.open_forms()
    return panel.find("Key source", at=form)


def connect(panel):
    panel.click("Connect")
    panel.wait_until_idle()
    return panel.model.session.get()


def run(panel):
    panel.type("Prompt", "Write a haiku about sparkling water.")
    panel.click("Run")
    panel.wait_until_idle()
    return panel.model.result.row


def test_found_deployment_is_picked_saved_and_run(found, azure):
    pick(found, "gpt-5-mini · ")
    assert key_field(found).label == "as found: entra"
    assert "gpt-5-mini accepts key or Entra. Press Connect." in found.lines()
    config = connect(found)
    assert (config.name, str(config.key_source)) == ("gpt-5-mini", "entra")
    assert any(line.endswith("Saved as gpt-5-mini for this session.") for line in found.lines())
    assert found.open_forms() == []
    row = run(found)
    assert row.text.startswith("Small bubbles rising"), row.error
    assert azure.requests[-1].headers["authorization"].startswith("Bearer ey")


def test_one_of_two_deployments_with_one_url_is_picked(found):
    chat, completion = (row for row in found.model.connection.found if row.name.startswith("phi-chat/"))
    assert chat.url == completion.url
    pick(found, "phi-chat/completion · ")
    assert connect(found).deployment_name == "completion"


def test_another_key_wins_over_the_found_one(found, azure):
    pick(found, "gpt-5-mini · ")
    key = azure.key_of("contoso-foundry")
    choose(key_field(found), "ask")
    set_state(found.find("Endpoint key", at=found.open_forms()[0]), value=key)
    config = connect(found)
    assert config.key_source.is_prompted
    assert run(found).error is None
    assert azure.requests[-1].headers["authorization"] == f"Bearer {key}"


def test_another_url_is_not_the_picked_deployment(found):
    pick(found, "gpt-5-mini · ")
    set_state(found.find("Endpoint URL", at=found.open_forms()[0]), value="http://127.0.0.1:9/v1/chat/completions")
    assert found.find("Found").value is None
    assert key_field(found).label == "an API key, typed here"


def test_deployment_that_cannot_be_asked_says_why(found):
    pick(found, "✗ text-embedding-3-small")
    (said,) = [line for line in found.lines() if "cannot be asked" in line]
    assert said.startswith("text-embedding-3-small cannot be asked: ")
    assert said.endswith(". Choose another one.")
    assert found.find("Found").value is None
    assert found.find("Endpoint URL", at=found.open_forms()[0]).value == ""


def test_missing_roles_are_lines_beside_what_was_found(azure, panel):
    azure.faults.denied = ["Microsoft.MachineLearningServices/*"]
    find(panel)
    assert labels(panel)
    assert any("role" in line for line in panel.lines()), panel.lines()


def test_next_search_forgets_what_was_picked(found, azure):
    pick(found, "gpt-5-mini · ")
    azure.faults.denied = ["*/deployments/read"]
    found.click("Find")
    found.wait_until_idle()
    assert found.find("Found").value is None
    assert key_field(found).label == "an API key, typed here"


def test_nobody_signed_in_is_one_line_with_the_command(panel, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    identity.forget_tokens()
    find(panel)
    (said,) = [line for line in panel.lines() if line.startswith("No Entra ID token")]
    assert "az login" in said
    assert "\n" not in said


def test_stopped_search_says_so(azure, panel):
    azure.faults.latency = 2.0
    panel.click("Connect my endpoint")
    panel.click("Find")
    assert "Looking for your endpoints…" in panel.lines()
    panel.click("Stop")
    assert "Stopped." in panel.lines()
    panel.wait_until_idle()


def test_form_can_be_opened_again_after_it_has_connected(found):
    pick(found, "gpt-5-mini · ")
    connect(found)
    found.open_menu()
    found.click("Connect")
    found.type("Prompt", "Hello")
    found.model.set("model", "other")
    assert found.open_forms()


def test_table_of_what_was_found_begins_with_state_and_key(found):
    (table,) = [each for each in within(found.open_forms()[0]) if "azml-found" in each._dom_classes]
    lines = table.outputs[0]["data"]["text/plain"].splitlines()
    assert lines[0].split() == ["name", "state", "key", "model,", "in"]
    (line,) = [line for line in lines if line.startswith("gpt-5-mini ")]
    assert line.split()[1:5] == ["Succeeded", "key", "or", "Entra"]

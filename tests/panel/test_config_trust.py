"""Trust in the panel: the config of a file sends its key once the user has said so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from azml_magics.core import trust


@pytest.fixture(autouse=True)
def user_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    trust.forget()
    yield
    trust.forget()


@pytest.fixture
def refused(model, session, chat, tmp_path, wait_until_idle):
    """A panel whose first run was refused: its config is that of a file."""
    session.save("main", replace(chat, file=str(tmp_path / "pyproject.toml")))
    model.set_prompt("Tell me about rivers")
    model.runs.run()
    wait_until_idle(model)
    return model


def test_refused_run_names_host_and_key_and_can_be_trusted(refused, wait_until_idle, endpoint):
    said = refused.notes["run"].text
    host = endpoint.url.removeprefix("http://")
    assert said.startswith(f"main of ./pyproject.toml sends PANEL_KEY to {host}, and you have not said")
    assert "press Trust" in said
    assert refused.trust.is_asked
    assert not endpoint.requests
    refused.trust.give()
    assert refused.notes["run"].text == (f"Trusted: main of ./pyproject.toml sends PANEL_KEY to {host}. Run it again.")
    assert not refused.trust.is_asked
    refused.runs.run()
    wait_until_idle(refused)
    assert refused.result.row.error is None
    trust.forget()  # what a new kernel remembers is in the file
    assert trust.is_granted(trust.grant_for(refused.draft.config))


def test_edited_url_is_not_what_the_message_named(refused):
    refused.set("endpoint_url", "http://127.0.0.1:9/v1/chat/completions")
    assert not refused.trust.is_asked
    refused.trust.give()
    assert not trust.is_granted(trust.grant_for(refused.draft.config))


def test_config_that_was_not_refused_is_not_asked_about(ready):
    assert not ready.trust.is_asked
    ready.trust.give()
    assert "run" not in ready.notes

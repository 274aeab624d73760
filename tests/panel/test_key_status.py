"""The sign beside the key field: whether the key is found."""

from __future__ import annotations

import pytest

from azml_magics.core import key_sources
from azml_magics.core.config import LLMConfig
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret
from azml_magics.panel.model.key_status import key_status

URL = "https://n.eastus.inference.ml.azure.com/score"


def status_of(key):
    return key_status(LLMConfig(endpoint_url=URL, key=key))


def test_environment_key_status(monkeypatch):
    assert status_of("env:RIVER_KEY") == (
        False,
        "RIVER_KEY is not set: set it before starting Jupyter, or type the key below",
    )
    monkeypatch.setenv("RIVER_KEY", " ")
    assert status_of("env:RIVER_KEY")[0] is False
    monkeypatch.setenv("RIVER_KEY", "s3cret")
    assert status_of("env:RIVER_KEY") == (True, "RIVER_KEY is set")


def test_prompted_key_is_found_once_typed():
    assert status_of("ask") == (False, "type the key below")
    key_sources.remember_key(URL, Secret("s3cret"))
    assert status_of("ask") == (True, "typed, for this session")
    assert key_status(LLMConfig(endpoint_url="https://other.example/score", key="ask"))[0] is False


@pytest.mark.parametrize(
    ("key", "found", "words"),
    [
        (None, True, "no key is sent"),
        (Secret("s3cret"), True, "in memory, for this session only"),
        (KeyRef("entra"), None, "a token is fetched when needed"),
        (KeyRef("keyring", "azure/prod"), None, "looked up when needed"),
    ],
)
def test_status_of_other_keys(key, found, words):
    assert status_of(key) == (found, words)

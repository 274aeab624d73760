"""Errors in the panel's words: one line, with a remedy that a person without the magics can follow."""

from __future__ import annotations

import inspect

import pytest

from azml_magics.core import errors, keys
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, Interrupted
from azml_magics.core.keys import KeyRef, Secret
from azml_magics.core.response import Response
from azml_magics.panel.model.error_messages import describe_error
from azml_magics.panel.model.key_status import key_status

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AzmlError)]
URL = "https://n.eastus.inference.ml.azure.com/score"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("remedy", ["Add --key ask.", "Run `%azureml test`.", "Write -f gpt2.", "Use %%azureml."])
def test_no_remedy_speaks_of_a_magics_options(kind, remedy):
    words = describe_error(kind("It went wrong", remedy=remedy))
    assert words.startswith("It went wrong.")
    assert remedy not in words
    assert "%" not in words
    assert "--" not in words


def test_a_remedy_that_anybody_can_follow_stays():
    error = errors.APIConnectionError("Cannot connect to n.example", remedy="Check the URL, network and VPN.")
    assert describe_error(error) == "Cannot connect to n.example. Check the URL, network and VPN."


@pytest.mark.parametrize(
    "remedy",
    [
        "Use letters, digits, dots, - and _, such as prod or hr-bot.",
        "Upgrade with pip install -U azml-magics.",
        'Run pip install "azml-magics[azure]".',
    ],
)
def test_a_dash_alone_makes_no_option(remedy):
    assert describe_error(errors.ConfigError("It went wrong", remedy=remedy)) == f"It went wrong. {remedy}"


def test_the_place_is_named_but_not_the_config_which_is_in_sight():
    error = errors.RateLimitError("Too many requests", config="prod", deployment="blue", request_id="1c7f")
    assert describe_error(error) == "Too many requests (deployment blue, request 1c7f)."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            errors.KeyNotFoundError("No key: the environment variable K is not set"),
            "No key: the environment variable K is not set. "
            "Set it before starting Jupyter, or type the key into the API key field.",
        ),
        (
            errors.KeyRefusedError("That is no reference"),
            "That is no reference. Write env:NAME, keyring:SERVICE/NAME, entra, ask or none.",
        ),
        (errors.AuthenticationError("401"), "401. Check the key, and that it belongs to this endpoint."),
        (errors.ConfigError("This config has no name yet."), "This config has no name yet."),
        (Interrupted(None), "Stopped before any text arrived."),
        (Interrupted(Response("Riv")), "Stopped. The text received so far is kept."),
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_what_the_panel_says_of_each(error, words):
    assert describe_error(error) == words


def test_any_error_is_one_line():
    assert "\n" not in describe_error(errors.EndpointError("a\nb\x1b[31m", remedy="c\nd"))


# ---- the sign beside the key


def sign(key, monkeypatch=None):
    return key_status(LLMConfig(endpoint_url=URL, key=key))


def test_a_key_in_the_environment_is_found_or_it_is_said_how_to_set_it(monkeypatch):
    assert sign("env:RIVER_KEY") == (
        False,
        "RIVER_KEY is not set: set it before starting Jupyter, or type the key below",
    )
    monkeypatch.setenv("RIVER_KEY", " ")
    assert sign("env:RIVER_KEY")[0] is False
    monkeypatch.setenv("RIVER_KEY", "s3cret")
    assert sign("env:RIVER_KEY") == (True, "RIVER_KEY is set")


def test_a_key_that_is_asked_for_is_found_once_it_was_typed():
    assert sign("ask") == (False, "type the key below")
    keys.answer(URL, Secret("s3cret"))
    assert sign("ask") == (True, "typed, for this session")
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
def test_of_other_keys_it_says_what_is_known(key, found, words):
    assert sign(key) == (found, words)

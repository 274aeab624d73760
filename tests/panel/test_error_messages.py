"""Errors in the panel: one line, with a remedy that needs no magics."""

from __future__ import annotations

import pytest

from azml_magics.core import errors
from azml_magics.core.errors import Interrupted
from azml_magics.core.response import Response
from azml_magics.panel.model.error_messages import describe_error


def test_plain_remedy_stays():
    error = errors.APIConnectionError("Cannot connect to n.example", remedy="Check the URL, network and VPN.")
    assert describe_error(error) == "Cannot connect to n.example. Check the URL, network and VPN."


def test_message_names_deployment_and_request_but_not_config():
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
def test_message_of_each_error(error, words):
    assert describe_error(error) == words


def test_any_error_is_one_line():
    assert "\n" not in describe_error(errors.EndpointError("a\nb\x1b[31m", remedy="c\nd"))

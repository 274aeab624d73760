"""Exceptions for requests without a response."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import APIConnectionError, APITimeoutError
from azml_magics.core.http.connection_errors import connection_error
from azml_magics.core.http.exchange import Request, SendFailure

REQUEST = Request("https://n.example.com/score", {"Authorization": "Bearer k3y"}, b"{}", timeout=60)


@pytest.mark.parametrize(
    ("failure", "said", "remedy"),
    [
        (
            SendFailure("connect-error", OSError("Connection refused")),
            "Cannot connect to n.example.com: Connection refused",
            "URL",
        ),
        (SendFailure("connect-timeout", OSError()), "n.example.com did not accept the connection within 10 s", "VPN"),
        (SendFailure("timeout", OSError()), "No data from n.example.com for 60 s", "The request was not repeated"),
        (
            SendFailure("closed", OSError("peer closed")),
            "broke before the response was complete: peer closed",
            "may have been processed and was not repeated",
        ),
        (SendFailure("incomplete", OSError()), "broke before the response was complete: OSError", "try again"),
        (SendFailure("untrusted", OSError("odd")), "No TLS connection to n.example.com: odd", "certificate"),
        (SendFailure("invalid", ValueError("bad")), "could not be sent: ValueError: bad", "URL"),
    ],
    ids=lambda value: value.reason if isinstance(value, SendFailure) else None,
)
def test_errors_name_what_happened_and_keep_the_cause(failure, said, remedy):
    error = connection_error(failure, REQUEST)
    assert said in str(error)
    assert remedy in error.remedy
    assert error.__cause__ is failure.error


def test_timeouts_are_told_from_other_failures():
    assert isinstance(connection_error(SendFailure("timeout", TimeoutError()), REQUEST), APITimeoutError)
    assert isinstance(connection_error(SendFailure("connect-timeout", TimeoutError()), REQUEST), APIConnectionError)


def test_frames_of_the_cause_are_removed():
    try:
        raise ConnectionError("gone") from OSError("reset")
    except ConnectionError as error:
        cause = connection_error(SendFailure("closed", error), REQUEST).__cause__
    assert cause.__traceback__ is None

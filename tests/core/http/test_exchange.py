"""Requests and outcomes as data."""

from __future__ import annotations

import pytest

from azml_magics.core.http.exchange import HTTPResponse, Request, SendFailure


def test_reprs_hide_headers_and_bodies():
    request = Request("https://n/score", {"Authorization": "Bearer k3y"}, b"k3y prompt", 1, fallback=b"k3y")
    shown = repr([request, HTTPResponse(401, {"x": "k3y"}, b"k3y")])
    assert "k3y" not in shown


@pytest.mark.parametrize(
    ("failure", "is_unreachable", "is_stale"),
    [
        (SendFailure("connect-error", OSError()), True, False),
        (SendFailure("connect-timeout", OSError()), True, False),
        (SendFailure("closed", OSError(), reused=True), False, True),
        (SendFailure("closed", OSError(), reused=True, seconds=0.3), False, True),
        (SendFailure("closed", OSError(), reused=True, seconds=0.31), False, False),
        (SendFailure("closed", OSError(), reused=True, has_data=True), False, False),
        (SendFailure("closed", OSError(), reused=False), False, False),
        (SendFailure("incomplete", OSError(), reused=True), False, False),
        (SendFailure("timeout", OSError(), reused=True), False, False),
    ],
)
def test_failures_know_whether_anything_was_sent(failure, is_unreachable, is_stale):
    assert (failure.is_unreachable, failure.is_stale_connection) == (is_unreachable, is_stale)

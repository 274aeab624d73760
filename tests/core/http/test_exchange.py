"""Requests and outcomes as data."""

from __future__ import annotations

import pytest

from azml_magics.core.http.exchange import HTTPResponse, Request, SendFailure


def test_reprs_hide_headers_and_bodies():
    request = Request("https://n/score", {"Authorization": "Bearer k3y"}, b"k3y prompt", 1, fallback=b"k3y")
    shown = repr([request, HTTPResponse(401, {"x": "k3y"}, b"k3y")])
    assert "k3y" not in shown


@pytest.mark.parametrize(
    ("reason", "reused", "is_unreachable", "is_stale"),
    [
        ("connect-error", False, True, False),
        ("connect-timeout", False, True, False),
        ("closed", True, False, True),
        ("closed", False, False, False),
        ("incomplete", True, False, False),
        ("timeout", True, False, False),
    ],
)
def test_failures_know_whether_anything_was_sent(reason, reused, is_unreachable, is_stale):
    failure = SendFailure(reason, OSError(), reused)
    assert (failure.is_unreachable, failure.is_stale_connection) == (is_unreachable, is_stale)

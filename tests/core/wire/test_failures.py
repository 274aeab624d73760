"""Failures inside a 200."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import ContentFilterError, ModelError
from azml_magics.core.response import Response
from azml_magics.core.wire.failures import (
    is_filtered,
    make_embedded_error,
    make_missing_text_error,
    raise_for_failure,
    raise_if_filtered,
)


@pytest.mark.parametrize(
    "value", [{}, None, [None], {"error": "boom"}, {"error": {"message": "boom"}}, {"object": "error"}]
)
def test_reported_failure_is_raised(value):
    with pytest.raises(ModelError):
        raise_for_failure(value)


@pytest.mark.parametrize("value", [[], "text", {"error": None, "output": "t"}, {"output": "t"}])
def test_other_values_are_not_failures(value):
    raise_for_failure(value)


@pytest.mark.parametrize(
    ("value", "kind", "inner_status"),
    [
        ({"error": {"message": "boom", "code": 400}}, ModelError, 400),
        ({"error": {"body": "boom", "status_code": 503}}, ModelError, 503),
        ({"error": {"message": "boom", "code": "content_filter"}}, ContentFilterError, None),
        ({"error": "boom: ResponsibleAIPolicyViolation"}, ContentFilterError, None),
        ({"error": "went wrong", "exception": "boom"}, ModelError, None),
    ],
)
def test_embedded_error_has_detail_and_status(value, kind, inner_status):
    error = make_embedded_error(value)
    assert type(error) is kind
    assert "boom" in str(error)
    assert (error.status, error.inner_status) == (200, inner_status)


@pytest.mark.parametrize(
    ("reason", "filtered"), [("content_filter", True), ("content_filter_error", True), ("stop", False), (None, False)]
)
def test_finish_reasons_of_content_filter(reason, filtered):
    assert is_filtered(reason) is filtered


def test_content_filter_error_keeps_response():
    response = Response("so far")
    with pytest.raises(ContentFilterError) as caught:
        raise_if_filtered("content_filter", response)
    assert caught.value.response is response


def test_missing_text_error_shows_beginning_in_one_line():
    error = make_missing_text_error({"label": "x\n" * 500})
    assert "no text that this formatter can find" in str(error)
    assert "\n" not in str(error)

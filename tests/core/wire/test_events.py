"""The JSON in events, and the errors that come as events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import AzmlError, ContentFilterError, ModelError, ResponseFormatError
from azml_magics.core.wire.events import parse_event
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors


def test_done_has_no_value():
    assert parse_event(Event("message", b"[DONE]")) is None


def test_object_in_data_is_returned():
    assert parse_event(Event("message", b'{"a": 1}')) == {"a": 1}


STREAM_FAILURES = [
    ("foundation-model-serve", {"error": {"message": "boom"}}, "error", ModelError, "boom"),
    ("an error event that is not JSON", b"upstream went away", "error", ModelError, "upstream went away"),
    ("an error event that is not an object", b'"went away"', "error", ModelError, "went away"),
    ("an error event without data", b"", "error", ModelError, "an error inside"),
    (
        "TGI",
        {"error": "Input validation error", "error_type": "validation"},
        "message",
        ModelError,
        "validation error",
    ),
    ("vLLM of old", {"object": "error", "message": "too long", "code": 400}, "message", ModelError, "too long"),
    ("vLLM", {"error": {"message": "too long", "code": 400}}, "message", ModelError, "too long"),
    ("filter", {"error": {"code": "content_filter", "message": "filtered"}}, "message", ContentFilterError, "filtered"),
    ("not JSON", b"hello", "message", ResponseFormatError, "an event that is not JSON: 'hello'"),
]


@pytest.mark.parametrize(
    ("source", "value", "kind", "error", "message"), STREAM_FAILURES, ids=[failure[0] for failure in STREAM_FAILURES]
)
def test_failure_inside_stream_is_raised(source, value, kind, error, message):
    with pytest.raises(AzmlError, match=message) as caught:
        parse_event(Event(kind, value if isinstance(value, bytes) else json.dumps(value).encode()))
    assert type(caught.value) is error


@given(st.binary(max_size=30))
def test_any_data_gives_object_or_own_error(data):
    with only_our_errors():
        parse_event(Event("message", data))

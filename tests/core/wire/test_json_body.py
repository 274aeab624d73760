"""The JSON in a body, and the errors for bodies that are not JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.wire.json_body import as_text, decode_json, unwrap_json

from ..judge import only_our_errors

BODIES = [
    (b"", "empty body"),
    (b" \r\n ", "empty body"),
    (b"<html><title>Sign in</title></html>", "an HTML page"),
    (b"no healthy upstream", "not JSON"),
    (b'{"output": "half a rep', "not JSON"),
    (b'data: {"choices": []}\n\n', "not JSON"),
    (b"\xff\xfe\x00", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"1" * 10_000, "not JSON"),
]


@pytest.mark.parametrize(("body", "message"), BODIES, ids=[message + str(i) for i, (_, message) in enumerate(BODIES)])
def test_body_that_is_not_json_shows_its_beginning(body, message):
    with pytest.raises(ResponseFormatError, match=message) as caught:
        decode_json(body)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_incomplete_json_says_that_it_was_cut_off():
    with pytest.raises(ResponseFormatError, match="may be incomplete: try again"):
        decode_json(b'{"output": "half a rep')


def test_object_as_text_inside_json_is_decoded():
    value = {"a": 1}
    assert decode_json(json.dumps(json.dumps(value)).encode()) == value
    assert unwrap_json("[not json") == "[not json"
    assert unwrap_json('"quoted"') == '"quoted"'


def test_as_text_keeps_text_and_writes_json():
    assert as_text("é") == "é"
    assert as_text({"a": "é"}) == '{"a": "é"}'


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_json_or_own_error(body):
    with only_our_errors():
        decode_json(body)

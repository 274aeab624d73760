"""Declared charsets: bodies and streams become UTF-8."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.wire.charset import Transcoder, charset_of, has_invalid_utf8, to_utf8


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("application/json", ""),
        ("application/json; charset=utf-8", ""),
        ('text/event-stream; Charset="ISO-8859-1"', "iso8859-1"),
        ("text/plain;charset=windows-1252", "cp1252"),
        ("text/plain; charset=nonsense", ""),
        ("", ""),
    ],
)
def test_charset_of_a_content_type(content_type, charset):
    assert charset_of(content_type) == charset


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("café".encode("latin-1"), "text/plain; charset=latin-1", "café"),
        ("„café“".encode("cp1252"), "text/plain; charset=windows-1252", "„café“"),
        ("café".encode(), "text/plain; charset=ascii", "café"),
        ('{"a": "é"}'.encode("utf-16"), "application/json; charset=utf-16", '{"a": "é"}'),
        ('{"a": "é"}'.encode("utf-16-le"), "application/json", '{"a": "é"}'),
        ("漢字".encode("shift_jis"), "text/plain; charset=Shift_JIS", "漢字"),
    ],
)
def test_body_becomes_utf8(body, content_type, text):
    assert to_utf8(body, content_type).decode() == text


def test_body_that_does_not_fit_its_charset_stays():
    assert to_utf8(b"\xff\x00\xff", "text/plain; charset=utf-16") == b"\xff\x00\xff"


@given(st.text(), st.integers(1, 3))
def test_pieces_cut_within_characters_are_put_together(text, size):
    body = json.dumps(text, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    made = Transcoder("text/event-stream; charset=utf-16-le")
    pieces = [made.feed(body[at : at + size]) for at in range(0, len(body), size)]
    assert b"".join(pieces).decode() == json.dumps(text, ensure_ascii=False)


def test_pieces_of_utf8_pass_unchanged():
    assert Transcoder("text/event-stream").feed(b"\xc3") == b"\xc3"


def test_invalid_utf8_is_noticed():
    assert has_invalid_utf8(b"caf\xe9")
    assert not has_invalid_utf8("café".encode())

"""Redaction: every spelling of a key is masked, and nothing else."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.redaction import MASK, MIN_KEY_LENGTH, redact, redact_bytes, redact_data
from azml_magics.core.secret import Secret

KEY = 'k3y+0123/4567"89=&abcdef-KEEP-OUT=='


@pytest.mark.parametrize(
    "spell",
    [
        str,
        quote,
        quote_plus,
        lambda key: quote(key, safe=""),
        lambda key: quote(quote(key, safe=""), safe=""),
        lambda key: quote(key, safe="").replace("%2B", "%2b"),
        lambda key: json.dumps(key)[1:-1],
        lambda key: json.dumps(json.dumps(key))[3:-3],
        lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
        lambda key: json.dumps(key)[1:-1].replace("+", "\\u002B"),  # .NET's serializer
        html.escape,
        lambda key: key.replace("+", "&#43;").replace("=", "&#x3D;"),
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
        lambda key: quote(base64.b64encode(key.encode()).decode(), safe=""),
    ],
)
def test_every_spelling_of_a_key_is_masked(spell):
    assert redact(f"a {spell(KEY)} b", Secret(KEY)) == f"a {MASK} b"


@pytest.mark.parametrize("user", ["", "a", "ab", "abc"])
def test_a_key_inside_a_longer_base64_value_is_masked(user):
    encoded = base64.b64encode(f"{user}:{KEY}:rest".encode()).decode()
    shown = redact(f"Basic {encoded} ", Secret(KEY))
    assert MASK in shown
    assert encoded[len(encoded) // 2 - 6 : len(encoded) // 2] not in shown


@pytest.mark.parametrize("key", ["a", "x", "none", "EMPTY"])
def test_a_short_key_does_not_garble_text(key):
    text = "The endpoint did not accept the key x none EMPTY (401)."
    assert redact(text, Secret(key)) == text


def test_all_secrets_are_masked_and_the_rest_stays():
    assert redact(f"a {KEY} b other1 c {KEY}", Secret(KEY), None, "other1", Secret("")) == f"a {MASK} b {MASK} c {MASK}"


@pytest.mark.parametrize("shown", range(8, len(KEY)))
def test_the_beginning_of_a_key_before_a_cut_is_masked(shown):
    assert redact(f"said: {KEY[:shown]}…", Secret(KEY)) == f"said: {MASK}…"
    assert redact(f"said: {KEY[:shown]}", Secret(KEY)) == f"said: {MASK}"
    assert redact(f"said: {KEY[:shown]}… {KEY[:shown]}…", Secret(KEY)) == f"said: {MASK}… {MASK}…"


def test_data_and_bytes_are_redacted_too():
    assert redact_data({KEY: [KEY, 1, None, (KEY,)]}, KEY) == {MASK: [MASK, 1, None, [MASK]]}
    assert redact_bytes(f"é {KEY}".encode(), KEY) == f"é {MASK}".encode()
    assert redact_bytes(b"\xff " + KEY.encode(), KEY) == b"\xff " + MASK.encode()


@given(st.text(min_size=MIN_KEY_LENGTH), st.text(max_size=30))
def test_any_text_can_be_a_key(key, text):
    assert all(key not in part for part in redact(f"{text}{key}{text}", key).split(MASK))


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "…", "abcdefgh", "abcdefgh…", "%"])
def test_long_text_is_redacted_in_linear_time(piece):
    text = piece * (500_000 // len(piece)) + " abcdefghij."  # a quadratic reader would take hours
    assert redact(text, "abcdefghij").endswith(f" {MASK}.")

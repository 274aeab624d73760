"""Extra headers: what may be one, what is a key, and how they merge."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, KeyRefusedError
from azml_magics.core.headers import as_headers, merge_headers, parse_header
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret

from .judge import only_our_errors

APIM_KEY = "0123456789abcdef0123456789abcdef"


def test_text_of_a_reference_becomes_one():
    headers = as_headers({"Ocp-Apim-Subscription-Key": "env:APIM_KEY", "X-Team": "nlp"})
    assert headers == {"Ocp-Apim-Subscription-Key": KeyRef("env", "APIM_KEY"), "X-Team": "nlp"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Ocp-Apim-Subscription-Key", "short"),
        ("api-key", "abc"),
        ("X-Whatever", APIM_KEY),
        ("Authorization", "Basic YW5uOnMzY3JldA=="),
        ("X-Anything", "Bearer abc.def"),
        ("X-Other", "sk-proj-abcdefgh"),
        ("Cookie", "session=1"),
        ("X-Auth-Token", "abc"),
        ("apikey", "abc"),
        ("x-functions-key", "abc"),
    ],
)
def test_value_that_looks_like_a_key_is_a_secret(name, value):
    headers = as_headers({name: value})
    assert isinstance(headers[name], Secret)
    assert headers[name].reveal_as_given() == value
    assert value not in repr(LLMConfig(headers={name: value}))
    with pytest.raises(KeyRefusedError) as caught:
        parse_header(name, value)
    assert value not in str(caught.value)
    assert f"{name}=env:NAME" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Team", "natural-language"),
        ("X-Request-Id", "0123456789abcdef0123456789abcdef"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("x-ms-client-session-id", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("Prefer", "respond-async, wait=10"),
        ("azureml-model-group", "a"),
        ("X-Max-Tokens", "500"),
        ("X-Token-Type", "jwt"),
        ("Idempotency-Key", "6ba7b810"),
    ],
)
def test_ordinary_values_stay_texts(name, value):
    assert as_headers({name: value}) == {name: value}
    assert parse_header(name, value) == value


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"X-A": "one\r\nX-B: two"}, "The value of the header X-A contains characters"),
        ({"X-A\n": "one"}, "is not the name of an HTTP header"),
        ({"X A": "one"}, "is not the name of an HTTP header"),
        ({"": "one"}, "is not the name of an HTTP header"),
        ({"X-A": "größe"}, "contains characters that HTTP headers do not allow"),
        ({"X-A": 7}, "must be a string, not int"),
        ({"Content-Length": "7"}, "headers cannot set Content-Length"),
        ({"X-Key": Secret("a\nb-secret")}, "The value of the header X-Key contains characters"),
        (["X-A"], "headers must be a dict, not list"),
    ],
)
def test_headers_that_cannot_be_sent_are_one_line(headers, problem):
    with pytest.raises(ConfigError) as caught:
        LLMConfig(headers=headers)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40) | st.integers() | st.none(), max_size=3))
def test_any_headers_can_be_sent_or_are_one_line(given_headers):
    headers = {}
    with only_our_errors(ConfigError):
        headers = LLMConfig(headers=given_headers).headers
    for name, value in headers.items():
        assert re.fullmatch(r"[!-~]+", name)
        assert ":" not in name
        text = value.reveal_as_given() if isinstance(value, Secret) else str(value)
        assert re.fullmatch(r"[ -~]*", text)


def test_later_headers_win_whatever_their_case():
    assert merge_headers({"X-A": "1", "X-B": "2"}, {"x-a": "3"}) == {"x-a": "3", "X-B": "2"}


def test_merging_a_config_keeps_its_other_headers():
    config = LLMConfig(headers={"X-A": "1", "X-Key": "env:K"})
    assert dict(config.merged(headers={"x-a": "2"}).headers) == {"x-a": "2", "X-Key": KeyRef("env", "K")}
    assert dict(config.merged(headers={"X-KEY": "none"}).headers) == {"X-A": "1"}
    assert config.merged(timeout=3).headers == config.headers

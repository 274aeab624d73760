"""Keys in a URL's query and in model kwargs: refused unless they are references, and put in when they are sent."""

from __future__ import annotations

from json import loads
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import Client, LLMConfig, Secret
from azml_magics.core.config import takes_key_elsewhere
from azml_magics.core.embedded_keys import (
    fill_body,
    fill_query,
    hide_keys_in_query,
    is_secret_name,
    references_in,
    references_in_query,
)
from azml_magics.core.errors import ConfigError, KeyRefusedError
from azml_magics.core.request_text import format_request

from .server import reply

KEY = "kQ7pLm2/xV+9wR4tYb8n="
URL = "https://fn.azurewebsites.net/api/v1/chat/completions"


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "API-KEY",
        "apikey",
        "endpoint_api_key",
        "subscription-key",
        "Ocp-Apim-Subscription-Key",
        "access_token",
        "token",
        "password",
        "client_secret",
        "authorization",
        "account_key",
        "connectionString",
        "hf_token",
    ],
)
def test_names_of_keys(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "token_type",
        "eos_token",
        "pad_token",
        "tokens",
        "stop_token",
        "max_completion_tokens",
        "keywords",
        "prompt_cache_key",
        "tokenizer",
        "secretary",
        "key",
        "model",
        "top_k",
        "logprobs",
    ],
)
def test_names_that_are_not_keys(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"api_key": KEY},
        {"endpoint_api_key": KEY},
        {"token": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"tools": [{"type": "mcp", "authorization": KEY}]},
        {"tools": [{"type": "mcp", "headers": {"X-Any": f"Bearer {KEY}"}}]},
        {"data_sources": [{"parameters": {"authentication": {"type": "api_key", "key": "a1" * 20}}}]},
    ],
)
def test_key_in_kwargs_is_refused_at_any_depth(kwargs):
    with pytest.raises(KeyRefusedError) as caught:
        LLMConfig(model_kwargs=kwargs)
    assert not {KEY, "a1" * 20} & set(str(caught.value).split())
    with pytest.raises(KeyRefusedError):
        LLMConfig().merged(model_kwargs=kwargs)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"max_tokens": 5, "token_type": "Bearer", "stop": ["password"]},
        {"api_key": ""},
        {"tools": [{"parameters": {"properties": {"password": {"type": "string"}}, "required": ["password"]}}]},
        {"metadata": {"key": "value"}},
        {"logit_bias": {"token": 3}},
    ],
)
def test_kwargs_without_a_key_are_taken(kwargs):
    assert dict(LLMConfig(model_kwargs=kwargs).model_kwargs) == kwargs


@pytest.mark.parametrize("name", ["code", "key", "sig", "subscription-key", "api-key", "access_token", "CODE"])
def test_key_in_query_is_refused_and_not_repeated(name):
    with pytest.raises(KeyRefusedError) as caught:
        LLMConfig(endpoint_url=f"{URL}?api-version=1&{name}={KEY}")
    assert KEY not in str(caught.value)
    assert name in str(caught.value)
    assert caught.value.error_code == "key-in-url"


def test_other_parameters_of_a_query_are_taken():
    LLMConfig(endpoint_url=f"{URL}?api-version=2024-05-01&code=en&key=a")


@pytest.mark.parametrize("url", [f"fn.azurewebsites.net/api?q={KEY}", f"https://?q={KEY}", f"https://[::1?q={KEY}"])
def test_message_about_a_wrong_url_does_not_show_its_query(url):
    with pytest.raises(ConfigError) as caught:
        LLMConfig(endpoint_url=url)
    assert KEY not in str(caught.value)


@pytest.fixture
def sent(monkeypatch, server):
    monkeypatch.setenv("FUNCTION_KEY", KEY)
    config = LLMConfig(
        endpoint_url=f"{server.url}/v1/chat/completions?code=env:FUNCTION_KEY",
        key=None,
        model_kwargs={"tools": [{"type": "mcp", "authorization": "env:FUNCTION_KEY"}]},
    )
    server.respond_with(reply({"choices": [{"message": {"content": "Hi"}}]}))
    with Client() as client:
        client.invoke(config, "env:FUNCTION_KEY")
    return config, server.received[-1]


def test_references_are_replaced_when_sent(sent):
    config, request = sent
    assert request.target.endswith("?code=kQ7pLm2%2FxV%2B9wR4tYb8n%3D")
    assert request.json["tools"] == [{"type": "mcp", "authorization": KEY}]
    assert request.json["messages"][-1]["content"] == "env:FUNCTION_KEY"  # a prompt is not a reference
    assert KEY not in repr(config)


def test_references_stay_in_what_is_shown(sent):
    config, _ = sent
    text = format_request(config, [{"role": "user", "content": "Hi"}])
    assert "?code=env:FUNCTION_KEY" in text
    assert '"authorization": "env:FUNCTION_KEY"' in text
    assert KEY not in text


def test_reference_in_kwargs_does_not_go_to_another_host():
    config = LLMConfig(endpoint_url=URL, key=None, model_kwargs={"token": "env:NAME"})
    assert takes_key_elsewhere(config, config.merged(endpoint_url="https://other.example/v1/chat/completions"))


def test_reference_in_the_query_counts_as_a_key_over_http():
    config = LLMConfig(endpoint_url="http://fn.example/v1/chat/completions?code=env:HOME", key=None)
    with pytest.raises(ConfigError) as caught:
        Client().invoke(config, "Hi")
    assert caught.value.error_code == "key-over-http"


@given(st.text(min_size=1))
def test_any_key_arrives_whole_in_query_and_body(key):
    secret = Secret(key)
    keys = {"env:NAME": secret}
    url = fill_query("https://h.example/a?x=1&code=env%3ANAME&y=env:NAME", keys)
    query = parse_qs(urlsplit(url).query, keep_blank_values=True, errors="surrogatepass")
    assert query["code"] == [secret.reveal_as_given()]
    assert query["y"] == ["env:NAME"]
    assert loads(fill_body(b'{"token": "env:NAME"}', keys)) == {"token": secret.reveal_as_given()}


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_data_and_url_can_be_looked_through(data):
    references_in(data)
    references_in_query(str(data))
    assert hide_keys_in_query(hide_keys_in_query(str(data))) == hide_keys_in_query(str(data))


def test_url_is_shown_without_its_keys():
    shown = hide_keys_in_query(f"https://ann:pw@h.example/a?code={KEY}&api-version=1&sig=env:NAME")
    assert shown == "https://…@h.example/a?code=…&api-version=1&sig=env:NAME"

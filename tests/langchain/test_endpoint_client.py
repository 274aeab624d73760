"""AzureMLEndpointClient: bytes there, bytes back."""

from __future__ import annotations

import pickle

import pytest

from azml_magics import errors, langchain
from azml_magics.emulator import Fault
from azml_magics.langchain import AzureMLEndpointClient

from .conftest import KEY

BODY = b'{"inputs": {"input_string": ["Hi"]}, "parameters": {"max_new_tokens": 3}}'


def test_call_sends_and_returns_bytes_unchanged(endpoint):
    client = AzureMLEndpointClient(f"{endpoint.url}/score", KEY, "gpt2-2023-06", 20)
    reply = client.call(BODY)
    assert reply.startswith(b'[{"0": ')
    request = endpoint.requests[-1]
    assert request.body == BODY
    assert request.headers["azureml-model-deployment"] == "gpt2-2023-06"
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_client_works_as_http_client_of_models(endpoint):
    client = AzureMLEndpointClient(f"{endpoint.url}/score", KEY)
    llm = langchain.AzureMLOnlineEndpoint(http_client=client, content_formatter=langchain.GPT2ContentFormatter())
    assert "Hello!" in llm.invoke("Hi", return_full_text=False)


def test_fields_match_the_original():
    client = AzureMLEndpointClient("https://localhost/score", "k-123", timeout=5)
    assert (client.endpoint_url, client.endpoint_api_key, client.deployment_name, client.timeout) == (
        "https://localhost/score",
        "k-123",
        "",
        5,
    )


@pytest.mark.parametrize(("url", "key"), [("", "k"), ("https://localhost/score", "")])
def test_url_and_key_are_required(url, key):
    with pytest.raises(ValueError, match="needs a URL and a key"):
        AzureMLEndpointClient(url, key)


def test_any_route_is_accepted(endpoint):
    client = AzureMLEndpointClient(f"{endpoint.url}/openai/v1/chat/completions", KEY)
    reply = client.call(b'{"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}')
    assert b'"choices"' in reply


def test_refusal_raises_our_error_without_the_key(endpoint):
    client = AzureMLEndpointClient(f"{endpoint.url}/score", "wrong-key-123")
    with pytest.raises(errors.AuthenticationError) as caught:
        client.call(BODY)
    assert "wrong-key-123" not in str(caught.value)
    endpoint.script([Fault("slow", seconds=5)])
    with pytest.raises(errors.APITimeoutError):
        AzureMLEndpointClient(f"{endpoint.url}/score", KEY).call(BODY, timeout=0.2)


def test_attributes_may_be_renewed(endpoint):
    client = AzureMLEndpointClient("https://localhost/score", "old-key-123")
    client.endpoint_url, client.endpoint_api_key = f"{endpoint.url}/score", KEY
    client.deployment_name, client.timeout = "gpt2-2023-06", 9
    assert client.call(BODY).startswith(b'[{"0": ')
    assert endpoint.requests[-1].headers["azureml-model-deployment"] == "gpt2-2023-06"


def test_key_is_in_no_text():
    client = AzureMLEndpointClient("https://localhost/score", "k-123456")
    assert "k-123456" not in repr(client) + str(vars(client))
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(client)

"""Prepared calls: their headers, and that their key is hidden everywhere."""

from __future__ import annotations

import sys
import traceback
from urllib.parse import quote

import pytest

from azml_magics.core.client import prepare, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, BadRequestError, ConfigError, KeyNotFoundError, UnknownNameError
from azml_magics.core.http.exchange import HTTPResponse
from azml_magics.core.key_sources import set_fetcher
from azml_magics.core.keys import KeyRef
from azml_magics.core.secret import Secret

from .conftest import KEY
from .server import reply

MANAGED = "https://n.eastus.inference.ml.azure.com/score"
FOUNDRY = "https://r.services.ai.azure.com/models"


def config(url=MANAGED, **fields) -> LLMConfig:
    return LLMConfig(**{"name": "prod", "endpoint_url": url, "formatter": "", "key": Secret(KEY), **fields})


def test_headers_of_a_dedicated_endpoint():
    request = prepare(config(formatter="gpt2", deployment_name="blue", timeout=7), "Hi").request
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {KEY}",
        "azureml-model-deployment": "blue",
    }
    assert (request.url, request.timeout, request.stream, request.fallback) == (MANAGED, 7, False, None)


def test_foundry_gets_keys_in_two_headers_and_tokens_in_one(monkeypatch):
    assert prepare(config(FOUNDRY, model="m"), "Hi").request.headers["api-key"] == KEY
    monkeypatch.setattr("azml_magics.core.key_sources.fetched._fetchers", {"entra": lambda *_: Secret("token")})
    headers = prepare(config(FOUNDRY, model="m", key="entra"), "Hi").request.headers
    assert headers["Authorization"] == "Bearer token"
    assert "api-key" not in headers


def test_no_key_sends_no_authorization_header():
    assert "Authorization" not in prepare(config(formatter="gpt2", key=None), "Hi").request.headers


def test_key_is_looked_up_only_if_needed(monkeypatch):
    monkeypatch.delenv("AZUREML_ENDPOINT_API_KEY", raising=False)
    from_env = config(formatter="gpt2", key="env:AZUREML_ENDPOINT_API_KEY")
    shown = prepare(from_env, "Hi", with_key=False)
    assert "Authorization" not in shown.request.headers
    with pytest.raises(KeyNotFoundError, match="config 'prod'"):
        prepare(from_env, "Hi")


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"url": ""}, ConfigError, "No endpoint URL (config 'prod'). Set endpoint_url"),
        (
            {},
            ConfigError,
            "No formatter: the wire format of /score differs from deployment to deployment (config 'prod')",
        ),
        ({"formatter": "gtp2"}, UnknownNameError, "No formatter named 'gtp2' (config 'prod'). Did you mean 'gpt2'?"),
        (
            {"formatter": "gpt2", "key": Secret("kéy")},
            ConfigError,
            "The key contains characters that HTTP headers do not allow",
        ),
        (
            {"formatter": "gpt2", "key": Secret("k\ny")},
            ConfigError,
            "The key contains characters that HTTP headers do not allow",
        ),
    ],
)
def test_prepare_rejects_unusable_configs(fields, kind, said):
    with pytest.raises(AzmlError) as caught:
        prepare(config(**fields), "Hi")
    assert type(caught.value) is kind
    assert said in str(caught.value)


def test_repr_of_a_prepared_call_hides_the_key():
    prepared = prepare(config(formatter="gpt2"), "Hi")
    assert KEY not in repr(prepared)
    assert KEY not in str(vars(prepared.request).keys())


def test_add_context_masks_the_key_and_names_the_config():
    prepared = prepare(config(formatter="gpt2", deployment_name="blue"), "Hi")
    from azml_magics.core.http.status_errors import status_error

    error = status_error(401, {"x-echo": f"Bearer {KEY}"}, f'{{"message": "bad key {KEY} here"}}'.encode())
    returned = prepared.add_context(error)
    assert returned is error
    for shown in (str(error), repr(error), error.body, str(error.args), str(vars(error))):
        assert KEY not in shown
    assert "config 'prod', deployment 'blue'" in str(error)


def test_error_masks_a_url_quoted_key():
    from azml_magics.core.http.status_errors import status_error

    key = "k3y+with/slashes=="
    prepared = prepare(config(formatter="gpt2", key=Secret(key)), "Hi")
    error = status_error(401, {}, f'{{"message": "bad key {quote(key, safe="")} here"}}'.encode())
    assert "k3y%2Bwith" not in str(prepared.add_context(error)) + error.body


def test_one_letter_key_does_not_garble_errors():
    from azml_magics.core.http.status_errors import status_error

    prepared = prepare(config(formatter="gpt2", key=Secret("e")), "Hi")
    assert "The endpoint did not accept the key (401)" in str(prepared.add_context(status_error(401, {}, b"")))


def test_truncated_message_shows_no_part_of_the_key():
    from azml_magics.core.http.status_errors import status_error

    prepared = prepare(config(formatter="gpt2"), "Hi")
    for before in range(250, 300):
        body = b'{"message": "' + b"x" * before + KEY.encode() + b'"}'
        assert KEY[:8] not in str(prepared.add_context(status_error(400, {}, body)))


def test_refreshed_token_is_sent_and_masked(monkeypatch):
    tokens = {False: "old-token-0123456789", True: "new-token-9876543210"}
    monkeypatch.setattr("azml_magics.core.key_sources.fetched._fetchers", {})
    set_fetcher("entra", lambda source, url, refused: Secret(tokens[refused is not None]))
    prepared = prepare(config(formatter="gpt2", key=KeyRef("entra")), "Hi")
    flow = prepared.retry_flow()
    assert next(flow).request.headers["Authorization"] == f"Bearer {tokens[False]}"
    renewal = flow.send(HTTPResponse(401, {}))
    renewal.request = renewal.refresh(renewal.request)
    assert next(flow).request.headers["Authorization"] == f"Bearer {tokens[True]}"
    with pytest.raises(AzmlError) as caught:
        flow.send(HTTPResponse(401, {}, f"not {tokens[True]} nor {tokens[False]}".encode()))
    error = prepared.add_context(caught.value)
    for token in tokens.values():
        assert token not in str(error)
        assert token not in error.body


@pytest.mark.parametrize("key", [Secret("kéy-0123456789"), Secret(KEY)])
def test_tracebacks_of_prepare_hide_the_key(key):
    with_custom_formatter = config(formatter=Raises(), key=key)
    try:
        prepare(with_custom_formatter, "Hi")
    except AzmlError:
        shown = "".join(traceback.TracebackException(*sys.exc_info(), capture_locals=True).format())
    assert "with_custom_formatter" not in shown or key.reveal() not in shown
    assert key.reveal() not in shown
    assert f"Bearer {key.reveal()}" not in shown


class Raises:
    content_type = "text/plain\r\nX: 1"

    def format_request_payload(self, prompt, model_kwargs):
        return b"{}"

    def format_response_payload(self, output):
        return ""


# ---- models that do not stream


REFUSAL = {
    "message": "Unsupported value: 'stream' does not support true with this model.",
    "param": "stream",
    "code": "unsupported_value",
}


@pytest.mark.parametrize(
    "error",
    [REFUSAL, {"message": "Streaming is not supported with this model."}, {"message": "does not support streaming"}],
)
def test_model_that_does_not_stream_sends_whole_response(server, config_of, error):
    done = {"id": "r", "status": "completed", "output": [{"type": "message", "content": [TEXT]}]}
    server.respond_with(reply({"error": error}, 400), reply(done))
    kwargs = {"reasoning_effort": "high"} if "param" in error else {}
    config = config_of("/openai/v1/responses", model="o3-pro", model_kwargs=kwargs)
    with stream(config, "Hi") as chunks:
        assert [chunk.text for chunk in chunks] == ["Hello"]
    first, second = (received.json for received in server.received)
    assert first["stream"] is True
    assert second == {name: value for name, value in first.items() if name != "stream"}
    assert ("include" in second) == bool(kwargs)


TEXT = {"type": "output_text", "text": "Hello"}


def test_other_refusal_of_a_stream_is_raised(server, config_of):
    server.respond_with(reply({"error": {"message": "Bad input", "param": "input"}}, 400))
    with pytest.raises(BadRequestError), stream(config_of("/openai/v1/responses", model="m"), "Hi") as chunks:
        list(chunks)
    assert len(server.received) == 1

"""invoke, ainvoke and fetch."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

import azml_magics
from azml_magics.core import key_sources
from azml_magics.core.client import AsyncClient, ainvoke, fetch, invoke
from azml_magics.core.errors import (
    AuthenticationError,
    ContentFilterError,
    Interrupted,
    KeyNotFoundError,
    ModelError,
    PermissionDeniedError,
    ResponseFormatError,
)
from azml_magics.core.secret import Secret

from .conftest import KEY
from .server import reply


def test_invoke_returns_the_response(server, config_of):
    server.respond_with(reply(["a haiku"]))
    response = azml_magics.invoke(config_of("/score", formatter="gpt2"), "Write a haiku.")
    assert str(response) == "a haiku"


async def test_ainvoke_returns_the_response(server, config_of):
    server.respond_with(reply(["a haiku"]))
    response = await azml_magics.ainvoke(config_of("/score", formatter="gpt2"), "Write a haiku.")
    assert response.raw == ["a haiku"]


def test_messages_are_sent_unchanged(server, config_of):
    server.respond_with(reply({"output": "fine"}))
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    invoke(config_of("/score", formatter="openai-chat"), turns)
    assert server.received[0].json["input_data"]["input_string"] == turns


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (reply({}), ModelError),
        (reply("<html>", kind="text/html"), ResponseFormatError),
        (reply({"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}), ContentFilterError),
    ],
)
def test_failures_with_status_200_are_raised_with_context(server, config_of, body, kind):
    server.respond_with(
        body.replace(b"Content-Type", b"x-request-id: r-3\r\nazureml-model-deployment: blue\r\nContent-Type")
    )
    with pytest.raises(kind) as caught:
        invoke(config_of(), "Hi")
    assert "(config 'prod', deployment 'blue', request id r-3)" in str(caught.value)
    if kind is ContentFilterError:
        assert caught.value.response.text == "x"
        assert caught.value.response.request_id == "r-3"


async def test_ainvoke_raises_with_context(server, config_of):
    server.respond_with(reply({}, x_request_id="r-3"))
    with pytest.raises(ModelError, match="request id r-3"):
        await ainvoke(config_of(), "Hi")


def test_errors_hide_the_key(server, config_of):
    server.respond_with(reply({"message": f"The key {KEY} is wrong"}, 401))
    with pytest.raises(AuthenticationError) as caught:
        invoke(config_of(), "Hi")
    assert KEY not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    assert "The key ********** is wrong" in str(caught.value)


def test_expired_token_is_refreshed_once(server, config_of, monkeypatch):
    asked = []

    def token(source, url, refused):
        asked.append(refused is not None)
        return Secret("fresh" if refused else "stale")

    monkeypatch.setattr(key_sources.fetched, "_fetchers", {"entra": token})
    server.respond_with(reply({"message": "expired"}, 401), reply(["t"]))
    assert invoke(config_of("/score", formatter="gpt2", key="entra"), "Hi").text == "t"
    assert [seen.headers["authorization"] for seen in server.received] == ["Bearer stale", "Bearer fresh"]
    assert asked == [False, True]


def test_kernel_interrupt_stops_the_call(server, config_of):
    let_go = threading.Event()

    def act(connection, request) -> bool:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        let_go.wait(20)
        return False

    server.respond_with(act, reply(["t"]))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted) as caught:
            invoke(config_of("/score", formatter="gpt2"), "Hi")
    finally:
        signal.signal(signal.SIGINT, before)
        let_go.set()
    assert caught.value.response is None
    assert invoke(config_of("/score", formatter="gpt2"), "Hi").text == "t"


# ---- fetch


def test_fetch_sends_the_key_and_the_deployment(server, config_of):
    server.respond_with(reply({"swagger": "2.0"}))
    config = config_of("/score", deployment_name="blue")
    assert fetch(config, server.url + "/swagger.json") == b'{"swagger": "2.0"}'
    (seen,) = server.received
    assert (seen.method, seen.target, seen.body) == ("GET", "/swagger.json", b"")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["azureml-model-deployment"] == "blue"


def test_fetch_errors_have_context_and_hide_the_key(server, config_of):
    server.respond_with(reply({"message": f"not with {KEY}"}, 403, x_echo=KEY))
    with pytest.raises(PermissionDeniedError, match="config 'prod'") as caught:
        fetch(config_of("/score"), server.url + "/swagger.json")
    assert KEY not in f"{caught.value}{caught.value!r}{caught.value.args}{vars(caught.value)}"


@pytest.mark.parametrize("is_async", [False, True])
def test_fetch_refreshes_a_refused_token_once(server, config_of, monkeypatch, is_async):
    monkeypatch.setattr(
        key_sources.fetched,
        "_fetchers",
        {"entra": lambda source, url, refused: Secret("fresh" if refused else "stale")},
    )
    server.respond_with(reply({"message": "expired"}, 401), reply({"swagger": "2.0"}))
    config, url = config_of("/score", key="entra"), server.url + "/swagger.json"
    body = asyncio.run(_afetch(config, url)) if is_async else fetch(config, url)
    assert body == b'{"swagger": "2.0"}'
    assert [seen.headers["authorization"] for seen in server.received] == ["Bearer stale", "Bearer fresh"]


async def _afetch(config, url):
    async with AsyncClient() as client:
        return await client.fetch(config, url)


def test_fetch_without_a_key_names_the_config(server, config_of):
    with pytest.raises(KeyNotFoundError, match="config 'prod'"):
        fetch(config_of("/score", key="env:NO_SUCH_KEY"), server.url + "/swagger.json")


LIMITS = {
    "x_ratelimit_remaining_tokens": "5",
    "x_ms_region": f"East {KEY}",
    "apim_request_id": "r-9",
    "set_cookie": "a=b",
}


def test_response_keeps_limits_region_and_ids_of_its_headers(server, config_of):
    server.respond_with(reply("", 503, retry_after_ms="1"), reply(["hi"], x_ms_deployment_name="gpt-5", **LIMITS))
    response = invoke(config_of("/score", formatter="gpt2", key=Secret(KEY), max_retries=1), "Hi")
    assert response.headers == {
        "x-ratelimit-remaining-tokens": "5",
        "x-ms-region": "East **********",
        "apim-request-id": "r-9",
        "x-ms-deployment-name": "gpt-5",
    }
    assert (response.deployment, response.request_id, response.attempts) == ("gpt-5", "r-9", 2)

"""The tools that people put around httpx see and replace our requests as they do httpx's own."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest

from azml_magics.core.client import AsyncClient, Client, ainvoke, astream, invoke, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigError,
    RateLimitError,
    StreamInterruptedError,
)
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import Server, delta, event, reply, streamed

URL = "https://prod.westeurope.inference.ml.azure.com/v1/chat/completions"
CONFIG = LLMConfig(name="prod", endpoint_url=URL, key=Secret(KEY), timeout=20, max_retries=0)
REPLY = {"model": "tiny", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
HI = reply(REPLY)


@pytest.fixture(params=["sync", "async"])
def send(request):
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


@pytest.fixture(params=["sync", "async"])
def streamed_text(request):
    """The text of a stream, read with `stream` or `astream`."""

    def read(config):
        with stream(config, "hello") as chunks:
            return "".join(chunk.text for chunk in chunks)

    async def aread(config):
        async with astream(config, "hello") as chunks:
            return "".join([chunk.text async for chunk in chunks])

    return read if request.param == "sync" else lambda config: asyncio.run(aread(config))


# ---- pytest-httpx


def test_pytest_httpx_replaces_the_endpoint(request, send):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=URL, method="POST", json=REPLY, match_headers={"Authorization": f"Bearer {KEY}"})
    assert send(CONFIG, "hello").text == "hi"
    assert json.loads(httpx_mock.get_request().content)["messages"] == [{"role": "user", "content": "hello"}]


def test_pytest_httpx_drives_retries(request, send, monkeypatch):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    httpx_mock = request.getfixturevalue("httpx_mock")
    monkeypatch.setattr("azml_magics.core.http.retry._FIRST_DELAY", 0.001)
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(json=REPLY)
    assert send(CONFIG.merged(max_retries=1), "hello").attempts == 2
    ids = [sent.headers["x-ms-client-request-id"] for sent in httpx_mock.get_requests()]
    assert len(set(ids)) == 2


def test_pytest_httpx_drives_errors(request, send):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    import httpx

    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    with pytest.raises(APITimeoutError, match="No data from"):
        send(CONFIG, "hello")
    httpx_mock.add_response(status_code=429)
    with pytest.raises(RateLimitError) as caught:
        send(CONFIG, "hello")
    assert caught.value.request_id == httpx_mock.get_requests()[-1].headers["x-ms-client-request-id"]


def test_pytest_httpx_streams(request, streamed_text):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    from pytest_httpx import IteratorStream

    body = streamed(delta("h"), delta("i", finish_reason="stop"), b"[DONE]", head=b"")
    events = [line + b"\n\n" for line in body.split(b"\r\n") if line.startswith(b"data")]
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(stream=IteratorStream(events), headers={"content-type": "text/event-stream"})
    assert streamed_text(CONFIG) == "hi"


def test_log_has_our_id_if_the_server_gave_none(request, send, caplog):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(json=REPLY)
    with caplog.at_level("DEBUG", "azml_magics"):
        send(CONFIG, "hello")
    assert f"request id {httpx_mock.get_request().headers['x-ms-client-request-id']}" in caplog.text


def test_stream_that_breaks_has_the_id_of_its_request(request, streamed_text):
    pytest.importorskip("pytest_httpx", reason="the tools around httpx are in the test extra")
    import httpx

    class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            yield event(delta("h"))
            raise httpx.ReadError("gone")

        async def __aiter__(self):
            yield event(delta("h"))
            raise httpx.ReadError("gone")

    httpx_mock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(stream=Breaking(), headers={"content-type": "text/event-stream"})
    with pytest.raises(StreamInterruptedError) as caught:
        streamed_text(CONFIG)
    assert caught.value.request_id == httpx_mock.get_request().headers["x-ms-client-request-id"]
    assert caught.value.response.text == "h"


# ---- respx


def test_respx_replaces_the_endpoint(send):
    respx = pytest.importorskip("respx", reason="the tools around httpx are in the test extra")
    with respx.mock:
        route = respx.post(URL).respond(json=REPLY)
        assert send(CONFIG, "hello").text == "hi"
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


# ---- vcrpy


def test_vcrpy_records_and_replays_a_call(server, config_of, send, tmp_path):
    vcr = pytest.importorskip("vcr", reason="the tools around httpx are in the test extra")
    tape = vcr.VCR(filter_headers=["authorization"], record_mode="once")
    server.respond_with(HI)
    for _ in range(2):
        with tape.use_cassette(str(tmp_path / "call.yaml")):
            assert send(config_of(), "hello").text == "hi"
    assert len(server.received) == 1, "the second call is replayed"
    assert KEY not in (tmp_path / "call.yaml").read_text()


# ---- OpenTelemetry


@pytest.fixture
def spans():
    """The spans of httpx's instrumentation, which is on during the test."""
    instrumentation = pytest.importorskip(
        "opentelemetry.instrumentation.httpx", reason="the tools around httpx are in the test extra"
    )
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = instrumentation.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter.get_finished_spans
    instrumentor.uninstrument()
    provider.shutdown()


def test_opentelemetry_has_one_span_for_each_attempt(server, config_of, send, spans, monkeypatch):
    monkeypatch.setattr("azml_magics.core.http.retry._FIRST_DELAY", 0.001)
    server.respond_with(reply("", 503), HI)
    assert send(config_of(max_retries=1), "hello").text == "hi"
    codes = [dict(span.attributes).get("http.status_code") for span in spans()]
    assert codes == [503, 200]
    assert all("traceparent" in seen.headers for seen in server.received)
    assert not any(KEY in str(dict(span.attributes)) for span in spans())


def test_opentelemetry_sees_streams(server, config_of, streamed_text, spans):
    server.respond_with(streamed(delta("h"), delta("i", finish_reason="stop"), b"[DONE]"))
    assert streamed_text(config_of()) == "hi"
    assert len(spans()) == 1


# ---- an httpx client of the user's own


@pytest.fixture(params=["sync", "async"])
def send_with(request):
    """A call over an httpx client with these settings."""
    import httpx

    def call(config, **settings):
        with httpx.Client(**settings) as http_client, Client(http_client=http_client) as client:
            return client.invoke(config, "hello")

    async def acall(config, **settings):
        async with httpx.AsyncClient(**settings) as http_client, AsyncClient(http_client=http_client) as client:
            return await client.invoke(config, "hello")

    return call if request.param == "sync" else lambda config, **settings: asyncio.run(acall(config, **settings))


def test_opentelemetry_has_one_span_with_an_http_client(server, config_of, send_with, spans):
    server.respond_with(HI)
    assert send_with(config_of()).text == "hi"
    assert len(spans()) == 1


def test_vcrpy_works_with_an_http_client(server, config_of, send_with, tmp_path):
    vcr = pytest.importorskip("vcr", reason="the tools around httpx are in the test extra")
    server.respond_with(HI)
    for _ in range(2):
        with vcr.use_cassette(str(tmp_path / "call.yaml"), filter_headers=["authorization"]):
            assert send_with(config_of()).text == "hi"
    assert len(server.received) == 1


# ---- certificates of an httpx client


@pytest.fixture
def company():
    import trustme

    return trustme.CA(organization_name="Contoso")


@pytest.fixture
def mutual(company):
    """A server that requires a client certificate of the company's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    company.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    running = Server([HI], tls=context)
    yield running
    running.stop()


def test_client_certificate_of_an_http_client_is_used(company, mutual, send_with):
    context = ssl.create_default_context()
    company.configure_trust(context)
    company.issue_cert("analyst@contoso.com").configure_cert(context)
    config = LLMConfig(endpoint_url=mutual.url + "/v1/chat/completions", key=Secret(KEY), max_retries=0)
    assert send_with(config, verify=context).text == "hi"
    context = ssl.create_default_context()
    company.configure_trust(context)
    with pytest.raises(APIConnectionError):
        send_with(config, verify=context)
    assert len(mutual.received) == 1


def test_config_cannot_set_what_an_http_client_has(config_of, server, send_with):
    for network in ({"verify": False}, {"proxy": "none"}):
        with pytest.raises(ConfigError) as caught:
            send_with(config_of(**network))
        assert str(caught.value) == (
            "The config's verify and proxy are not used with an http_client, which has its own (config 'prod'). "
            "Give them to the httpx client, and leave them out of the config."
        )
    assert server.received == []


def test_proxy_of_an_http_client_that_refuses_is_told_from_the_endpoint(server, send_with):
    server.respond_with(reply("", 407))
    with pytest.raises(APIConnectionError, match=r"The proxy requires a user name and password \(407\)"):
        send_with(CONFIG, proxy=server.url)


def test_ssl_context_goes_into_an_http_client():
    with pytest.raises(ConfigError) as caught:
        CONFIG.merged(verify=ssl.create_default_context())
    assert str(caught.value) == (
        "verify must be the path of a CA file or folder, or False, not SSLContext. "
        "An ssl.SSLContext goes into the httpx client that a Client takes."
    )

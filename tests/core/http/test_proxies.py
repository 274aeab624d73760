"""Real requests through a scripted proxy: what it is asked, and how its faults are told from the endpoint's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
import warnings

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azml_magics.core.client import ainvoke, close_default_clients, invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, AzmlError, EndpointError
from azml_magics.core.http import session_warnings
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import Server, reply

HOST = "prod.westeurope.inference.ml.azure.com"
ROUTE = "/v1/chat/completions"
HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})


@pytest.fixture(params=["sync", "async"])
def send(request):
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


@pytest.fixture
def proxy(server):
    """A proxy on 127.0.0.1: HOST:PORT, and what it received."""
    server.name = server.url.removeprefix("http://")
    return server


@pytest.fixture
def backend(certificate, monkeypatch):
    """An endpoint behind the proxy, with TLS for localhost."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    running = Server([HI], tls=certificate[0])
    yield running
    close_default_clients()
    running.stop()


def config_of(proxy, url=f"https://{HOST}{ROUTE}", **fields):
    fields = {"key": Secret(KEY), "timeout": 20, "max_retries": 0, "proxy": proxy.name, **fields}
    return LLMConfig(name="prod", endpoint_url=url, **fields)


def tunnel_to(port):
    """A reply to CONNECT that joins the client to a port of this machine."""

    def act(client, request):
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=relay, args=(server, client), daemon=True)
            back.start()
            relay(client, server)
            back.join(10)
        return False

    return act


def relay(source, target):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def port_of(server):
    return int(server.url.rpartition(":")[2])


def raised(send, config):
    with pytest.raises(AzmlError) as caught:
        send(config, "hello")
    assert "\n" not in str(caught.value)
    return caught.value


# ---- https: a tunnel


def test_tunnel_is_kept_for_the_next_call(proxy, backend):
    proxy.respond_with(tunnel_to(port_of(backend)))
    config = config_of(proxy, f"https://localhost:{port_of(backend)}{ROUTE}")
    assert [invoke(config, "hello").text for _ in range(3)] == ["hi"] * 3
    assert [seen.method for seen in proxy.received] == ["CONNECT"]
    assert [seen.connection for seen in backend.received] == [1, 1, 1]


def test_proxy_sees_neither_key_nor_prompt_of_https(proxy, backend, send):
    proxy.respond_with(tunnel_to(port_of(backend)))
    send(config_of(proxy, f"https://localhost:{port_of(backend)}{ROUTE}"), "hello")
    (seen,) = proxy.received
    assert (seen.method, seen.target) == ("CONNECT", f"localhost:{port_of(backend)}")
    assert KEY not in str(seen)
    assert backend.received[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            reply("", 407),
            "The proxy {proxy} requires a user name and password (407) (config 'prod'). Put them into its URL, "
            "http://USER:PASSWORD@HOST:PORT, in HTTPS_PROXY or in a variable that the config names as proxy env:NAME.",
        ),
        (
            reply("<html>Blocked by policy</html>", 403, "text/html"),
            "The proxy {proxy} did not connect to {host}: 403 Whatever (config 'prod'). "
            "Ask who runs the proxy to allow the host, or name it in NO_PROXY.",
        ),
        (
            reply("<html>No route</html>", 502, "text/html"),
            "The proxy {proxy} did not connect to {host}: 502 Whatever (config 'prod'). "
            "Check the URL; if the host is in a private network, NO_PROXY has to name it.",
        ),
        (
            b"HTTP/1.1 503 {no} {braces:are} {0}filled\r\nContent-Length: 0\r\n\r\n",
            "The proxy {proxy} did not connect to {host}: 503 {{no}} {{braces:are}} {{0}}filled (config 'prod'). "
            "Check the URL; if the host is in a private network, NO_PROXY has to name it.",
        ),
    ],
    ids=["407", "403", "502", "503"],
)
def test_refusal_of_a_proxy_names_the_proxy(proxy, send, answer, said):
    proxy.respond_with(answer)
    error = raised(send, config_of(proxy))
    assert isinstance(error, APIConnectionError)
    assert str(error) == said.format(proxy=proxy.name, host=HOST)


@pytest.mark.parametrize(("status", "connects"), [(407, 1), (403, 1), (502, 3), (503, 3)])
def test_connect_is_repeated_as_a_connect_failure(proxy, send, status, connects, monkeypatch):
    monkeypatch.setattr("azml_magics.core.http.retry._FIRST_DELAY", 0.001)
    proxy.respond_with(reply("", status))
    raised(send, config_of(proxy, max_retries=2))
    assert [seen.method for seen in proxy.received] == ["CONNECT"] * connects


def test_call_succeeds_after_a_proxys_passing_fault(proxy, backend, send, monkeypatch):
    monkeypatch.setattr("azml_magics.core.http.retry._FIRST_DELAY", 0.001)
    proxy.respond_with(reply("", 503), tunnel_to(port_of(backend)))
    config = config_of(proxy, f"https://localhost:{port_of(backend)}{ROUTE}", max_retries=1)
    assert send(config, "hello").text == "hi"
    assert len(backend.received) == 1


def test_html_instead_of_a_tunnel_names_the_proxy(proxy, send):
    proxy.respond_with(b"<html><title>Sign in</title></html>\r\n\r\n")
    line = str(raised(send, config_of(proxy)))
    assert line.startswith(f"The proxy {proxy.name} cannot be used: ")
    assert "Check the proxy in the config's proxy or in HTTPS_PROXY" in line


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.binary(max_size=40).map(b"HTTP/1.1 ".__add__))
def test_any_answer_to_connect_is_one_line(proxy, answer):
    proxy.respond_with(lambda client, _: client.sendall(answer) or False)
    with pytest.raises(APIConnectionError) as caught:
        invoke(config_of(proxy, timeout=5), "hello")
    assert "\n" not in str(caught.value)


def test_proxy_that_refuses_connections_is_named(send):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # closed again at the end of the block
    config = LLMConfig(endpoint_url=f"https://{HOST}{ROUTE}", key=None, max_retries=0, proxy=f"127.0.0.1:{port}")
    assert str(raised(send, config)).startswith(f"The proxy 127.0.0.1:{port} cannot be used: ")


def test_connect_belongs_to_the_connect_timeout(proxy, send):
    proxy.respond_with(lambda *_: time.sleep(3) or False)
    error = raised(send, config_of(proxy, timeout=0.3))
    assert str(error).startswith(f"The proxy {proxy.name} did not open a connection to {HOST} within 0.3 s")
    assert error.error_code == "proxy-timeout"


@pytest.fixture
def tls_proxy(certificate, backend):
    """A proxy that is reached over TLS, with the same certificate as the backend."""
    running = Server([tunnel_to(port_of(backend))], tls=certificate[0])
    yield running
    close_default_clients()
    running.stop()


def test_proxy_may_be_reached_over_tls(tls_proxy, backend, certificate, send):
    if httpx.__version__ == "0.27.0" and send is not invoke:
        pytest.skip("httpx.AsyncHTTPTransport ignored a proxy's own TLS context before 0.27.1")
    os.environ.pop("SSL_CERT_FILE")  # the fixture's monkeypatch puts it back
    url = f"https://localhost:{port_of(backend)}{ROUTE}"
    config = LLMConfig(endpoint_url=url, key=None, max_retries=0, proxy=f"https://localhost:{port_of(tls_proxy)}")
    assert str(raised(send, config)).startswith(
        f"The certificate of the proxy localhost:{port_of(tls_proxy)} is self-signed"
    )
    assert send(config.merged(verify=str(certificate[1])), "hello").text == "hi"


def test_certificate_behind_a_tunnel_is_the_endpoints(proxy, backend, send, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    proxy.respond_with(tunnel_to(port_of(backend)))
    line = str(raised(send, config_of(proxy, f"https://localhost:{port_of(backend)}{ROUTE}")))
    assert line.startswith(f"The certificate of localhost:{port_of(backend)} is self-signed")


def test_password_of_a_proxy_is_sent_and_never_shown(proxy, send, monkeypatch):
    monkeypatch.setenv("COMPANY_PROXY", f"http://ann:s3cr%40t@{proxy.name}")
    proxy.respond_with(reply("", 407))
    config = config_of(proxy).merged(proxy="env:COMPANY_PROXY")
    error = raised(send, config)
    assert proxy.received[0].headers["proxy-authorization"] == "Basic YW5uOnMzY3JAdA=="
    shown = f"{error!r} {error} {error.facts} {error.__cause__!r} {config!r}"
    assert not any(secret in shown for secret in ("s3cr", "YW5u"))


# ---- plain http: the proxy passes the request on


@pytest.fixture
def environment_proxy(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.name}")
    return proxy


def test_plain_http_goes_through_the_environments_proxy(environment_proxy, send):
    environment_proxy.respond_with(HI)
    assert send(LLMConfig(endpoint_url=f"http://vllm:8000{ROUTE}", key=None), "hello").text == "hi"
    (seen,) = environment_proxy.received
    assert (seen.method, seen.target) == ("POST", f"http://vllm:8000{ROUTE}")
    assert "authorization" not in seen.headers


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (407, "The proxy {proxy} requires a user name and password (407)"),
        (502, "The model server crashed or is not running (502): an HTML page, 'Squid', through the proxy {proxy}"),
    ],
)
def test_refusal_on_the_way_names_the_proxy(environment_proxy, send, status, said):
    environment_proxy.respond_with(reply("<html><title>Squid</title></html>", status, "text/html"))
    error = raised(send, LLMConfig(endpoint_url=f"http://vllm:8000{ROUTE}", key=None, max_retries=0))
    assert isinstance(error, EndpointError)
    assert str(error).startswith(said.format(proxy=environment_proxy.name))


def test_key_over_http_needs_permission(environment_proxy, send):
    environment_proxy.respond_with(HI)
    config = LLMConfig(endpoint_url=f"http://vllm:8000{ROUTE}", key=Secret(KEY))
    assert str(raised(send, config)) == (
        "http://vllm:8000 would carry the key in clear text to another machine. "
        "Use https://, send no key (key=None), or set allow_http=True if you trust the network."
    )
    assert environment_proxy.received == []
    session_warnings.warn_once.cache_clear()
    with pytest.warns(UserWarning, match="The key goes to http://vllm:8000 in clear text"):
        assert send(config.merged(allow_http=True), "hello").text == "hi"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once in a session
        assert send(config.merged(allow_http=True), "hello").text == "hi"
    assert environment_proxy.received[0].headers["authorization"] == f"Bearer {KEY}"

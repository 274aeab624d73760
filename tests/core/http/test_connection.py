"""Opening connections (TLS, trust, proxies), and bodies larger than any buffer."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading

import pytest

from azml_magics.core.client import ainvoke, astream, default_client, invoke, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, BadRequestError
from azml_magics.core.secret import Secret

from ..conftest import KEY
from ..server import STREAM_HEAD, chunk, delta, event, reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
ROUTE = "/v1/chat/completions"


@pytest.fixture(params=["sync", "async"])
def send(request):
    """invoke or ainvoke: every test with it runs with both."""
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Without the machine's proxies."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Raw:
    """A server on 127.0.0.1 that gives each connection to a function, in a thread of its own."""

    def __init__(self, serve, tls=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.serve, self.tls = serve, tls
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                taken, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self._handle, args=(taken,), daemon=True))
            self.threads[-1].start()

    def _handle(self, taken):
        with (
            contextlib.suppress(OSError),
            self._opened(taken) as connection,
        ):  # the client may leave, or not trust the server
            self.serve(connection)

    def _opened(self, taken):
        return self.tls.wrap_socket(taken, server_side=True) if self.tls else taken

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # not every system can shut down a listener
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        default_client().close()
        for thread in self.threads:
            thread.join(10)


def config_for(url: str) -> LLMConfig:
    return LLMConfig(name="prod", endpoint_url=url, key=Secret(KEY), timeout=20, max_retries=0)


def head_of(connection) -> bytes:
    """Read up to the end of a head; b"" if the client has left."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def whole_request(connection) -> bytes:
    head, end, body = head_of(connection).partition(b"\r\n\r\n")
    while head and len(body) < int(head.lower().partition(b"content-length:")[2].split()[0]):
        body += connection.recv(65536)
    return head + end + body


def answers(connection) -> None:
    while whole_request(connection):
        connection.sendall(HI)


# ---- TLS -----------------------------------------------------------------------------------------------------


def test_tls_connection_is_kept(certificate, monkeypatch):
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Raw(answers, context) as server:
        config = config_for(f"https://localhost:{server.port}{ROUTE}")
        assert [invoke(config, "hello").text for _ in range(3)] == ["hi"] * 3
        assert server.connections == 1

        async def three():
            return [(await ainvoke(config, "hello")).text for _ in range(3)]

        assert asyncio.run(three()) == ["hi"] * 3
        assert server.connections == 2


def test_ssl_cert_file_is_trusted(certificate, send, monkeypatch):
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Raw(answers, context) as server:
        assert send(config_for(f"https://localhost:{server.port}{ROUTE}"), "hello").text == "hi"


def test_untrusted_server_gets_no_request(certificate, send):
    seen = []
    with (
        Raw(lambda connection: seen.append(whole_request(connection)), certificate[0]) as server,
        pytest.raises(APIConnectionError, match="certificate") as raised,
    ):
        send(config_for(f"https://localhost:{server.port}{ROUTE}"), "hello")
    assert seen in ([], [b""])
    assert "\n" not in str(raised.value)


class FailingHandshake:
    """A TLS context that sends an alert to the first client and then works."""

    def __init__(self, server):
        self.server, self.sound = server, server.tls

    def wrap_socket(self, connection, *, server_side):
        self.server.tls = self.sound
        connection.recv(65536)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x50")  # fatal, internal_error
        connection.close()
        raise ConnectionError


def test_failed_handshake_is_retried(certificate, send, monkeypatch):
    """A load balancer with a broken node does this."""
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Raw(answers, context) as server:
        server.tls = FailingHandshake(server)
        config = config_for(f"https://localhost:{server.port}{ROUTE}").merged(max_retries=1)
        assert send(config, "hello").text == "hi"
        assert server.connections == 2


# ---- proxies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_https_uses_the_environments_proxy_without_showing_the_key(send, monkeypatch, variable):
    seen = []

    def refuse(connection):
        seen.append(head_of(connection))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with Raw(refuse) as proxy:
        monkeypatch.setenv(variable, f"http://ann:s3cret@127.0.0.1:{proxy.port}")
        with pytest.raises(APIConnectionError, match="407"):
            send(config_for(f"https://prod.westeurope.inference.ml.azure.com{ROUTE}"), "hello")
    assert seen[0].startswith(b"CONNECT prod.westeurope.inference.ml.azure.com:443 ")
    assert b"Basic YW5uOnMzY3JldA==" in seen[0]
    assert KEY.encode() not in seen[0]


def test_response_arrives_through_a_proxy_tunnel(certificate, send, monkeypatch):
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    def tunnel(connection):
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            answers(inside)

    with Raw(tunnel) as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        config = config_for(f"https://localhost{ROUTE}")
        assert [send(config, "hello").text for _ in range(2)] == ["hi", "hi"]
        opened = proxy.connections
        assert [invoke(config, "hello").text for _ in range(3)] == ["hi"] * 3
        assert proxy.connections <= opened + 1, "the tunnel is kept"


def test_no_proxy_variable_bypasses_the_proxy(send, monkeypatch):
    with Raw(lambda connection: None) as proxy:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]  # closed again at the end of the block
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "localhost")
        with pytest.raises(APIConnectionError, match="Cannot connect"):
            send(config_for(f"https://localhost:{port}{ROUTE}"), "hello")
        assert proxy.connections == 0


# ---- large bodies --------------------------------------------------------------------------------------------


def test_large_prompt_and_response_arrive_complete(send):
    words = "water " * 500_000
    seen = []

    def serve(connection):
        seen.append(len(whole_request(connection)))
        connection.sendall(reply({"choices": [{"message": {"content": words}, "finish_reason": "stop"}]}))

    with Raw(serve) as server:
        answer = send(config_for(f"http://127.0.0.1:{server.port}{ROUTE}"), words)
    assert answer.text == words
    assert seen[0] > len(words)


def test_early_413_is_read_while_the_request_is_sent():
    def serve(connection):
        connection.recv(1024)
        connection.sendall(reply({"error": {"message": "too large"}}, status=413))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with Raw(serve) as server, pytest.raises(BadRequestError, match="too large"):
        invoke(config_for(f"http://127.0.0.1:{server.port}{ROUTE}"), "water " * 2_000_000)


@pytest.mark.parametrize("how", ["sync", "async"])
def test_compressed_stream_is_decoded(how):
    events = event(delta("a drop ")) + event(delta("of rain")) + b"data: [DONE]\n\n"
    squeezed = gzip.compress(events)

    def serve(connection):
        whole_request(connection)
        connection.sendall(STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
        for start in range(0, len(squeezed), 20):
            connection.sendall(chunk(squeezed[start : start + 20]))
        connection.sendall(b"0\r\n\r\n")

    async def on_a_loop(config):
        async with astream(config, "hello") as answer:
            return [piece.text async for piece in answer]

    with Raw(serve) as server:
        config = config_for(f"http://127.0.0.1:{server.port}{ROUTE}")
        if how == "async":
            texts = asyncio.run(on_a_loop(config))
        else:
            with stream(config, "hello") as answer:
                texts = [piece.text for piece in answer]
    assert "".join(texts) == "a drop of rain"


async def test_slow_reader_slows_the_server_down():
    events, sent_all = 40_000, threading.Event()

    def serve(connection):
        whole_request(connection)
        connection.sendall(STREAM_HEAD)
        piece = chunk(event(delta("x" * 1000)))
        for _ in range(events):
            connection.sendall(piece)
        connection.sendall(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        sent_all.set()

    with Raw(serve) as server:
        config = config_for(f"http://127.0.0.1:{server.port}{ROUTE}")
        async with astream(config, "hello") as answer:
            count = 0
            async for _ in answer:
                count += 1
                if count == 100:
                    await asyncio.sleep(0.3)  # the server could send everything in that time
                    assert not sent_all.is_set()
        assert (count, len(answer.response.text)) == (events, events * 1000)

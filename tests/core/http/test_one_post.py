"""One call is one POST on a warm connection, whatever the server does: counted by the server itself."""

from __future__ import annotations

import asyncio
import os
import socket
import time

import pytest

from azml_magics.core.client import ainvoke, astream, invoke, stream
from azml_magics.core.errors import APIConnectionError, AzmlError, StreamInterruptedError
from azml_magics.core.http import exchange

from ..server import CLOSED_AT_ONCE, FAULTS, STREAM_HEAD, Server, chunk, delta, event, fault, reply, streamed


def body(text: str) -> dict:
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


HI = reply(body("hi"))
OTHER = reply(body("of another request"))
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


# ---- front ends: each sends calls one after the other and returns their texts or errors


def outcomes_of_invoke(config, count):
    def call():
        try:
            return invoke(config, "Hi").text
        except AzmlError as error:
            return error

    return [call() for _ in range(count)]


def outcomes_of_ainvoke(config, count):
    async def call():
        try:
            return (await ainvoke(config, "Hi")).text
        except AzmlError as error:
            return error

    async def run():
        return [await call() for _ in range(count)]

    return asyncio.run(run())


def outcomes_of_stream(config, count):
    def call():
        try:
            with stream(config, "Hi") as pieces:
                return "".join([piece.text for piece in pieces])
        except AzmlError as error:
            return error

    return [call() for _ in range(count)]


def outcomes_of_astream(config, count):
    async def call():
        try:
            async with astream(config, "Hi") as pieces:
                return "".join([piece.text async for piece in pieces])
        except AzmlError as error:
            return error

    async def run():
        return [await call() for _ in range(count)]

    return asyncio.run(run())


@pytest.fixture(
    params=[outcomes_of_invoke, outcomes_of_ainvoke, outcomes_of_stream, outcomes_of_astream],
    ids=["invoke", "ainvoke", "stream", "astream"],
)
def outcomes(request):
    return request.param


@pytest.fixture
def tls_server(certificate, monkeypatch):
    """The scripted server behind TLS, trusted."""
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    running = Server(tls=context)
    yield running
    running.stop()


# ---- one call, one POST


@pytest.mark.parametrize("name", FAULTS)
def test_one_call_is_one_post(server, config_of, outcomes, name, monkeypatch):
    monkeypatch.setattr(exchange, "STALE_WITHIN", 5.0 if name == CLOSED_AT_ONCE else 0.3)  # a busy machine is slow
    server.respond_with(HI, FAULTS[name], HI)
    first, second = outcomes(config_of(max_retries=3), 2)
    assert first == "hi"
    if name == CLOSED_AT_ONCE:
        assert (second, len(server.received)) == ("hi", 3)
        return
    assert len(server.received) == 2
    assert isinstance(second, (APIConnectionError, StreamInterruptedError))
    if isinstance(second, APIConnectionError):
        assert "may have been processed and was not repeated" in str(second)


def test_tls_that_ends_without_notice_is_one_post(tls_server, config_of, outcomes):
    tls_server.respond_with(HI, fault(seconds=0.6), HI)
    config = config_of(max_retries=3).merged(endpoint_url=f"{tls_server.url}/v1/chat/completions")
    first, second = outcomes(config, 2)
    assert (first, len(tls_server.received)) == ("hi", 2)
    assert isinstance(second, APIConnectionError)


def test_invalid_tls_record_is_one_post(tls_server, config_of, outcomes):
    def garbage(connection, request) -> bool:
        os.write(connection.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that cannot be decrypted
        return False

    tls_server.respond_with(HI, garbage, HI)
    config = config_of(max_retries=3).merged(endpoint_url=f"{tls_server.url}/v1/chat/completions")
    first, second = outcomes(config, 2)
    assert first == "hi"
    assert isinstance(second, APIConnectionError)
    assert len(tls_server.received) == 2


# ---- one request, one response


def late(raw: bytes):
    def act(connection, request) -> bool:
        connection.sendall(HI)
        time.sleep(0.05)
        connection.sendall(raw)
        return True

    return act


def in_two_records(connection, request) -> bool:
    """Send two TLS records in one TCP packet."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    connection.sendall(HI)
    connection.sendall(OTHER)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    return True


CHUNKED = streamed(delta("hi"), STOP, b"[DONE]")
CHUNKED_OTHER = streamed(delta("of another request"), STOP, b"[DONE]")
DOUBLE = {
    "both with a length": HI + OTHER,
    "both in chunks": CHUNKED + CHUNKED_OTHER,
    "chunks, then a length": CHUNKED + OTHER,
    "a length, then chunks": HI + CHUNKED_OTHER,
    "half a second response": HI + OTHER[:7],
    "a blank line after it": HI + b"\r\n",
}


@pytest.mark.parametrize("name", DOUBLE)
def test_second_response_never_serves_the_next_call(server, config_of, outcomes, name):
    if name in {"both in chunks", "chunks, then a length"} and outcomes in {outcomes_of_invoke, outcomes_of_ainvoke}:
        pytest.skip("not a stream")
    server.respond_with(DOUBLE[name], reply(body("mine")))
    assert outcomes(config_of(), 2) == ["hi", "mine"]


@pytest.mark.parametrize("chunked", [False, True])
def test_second_response_in_chunks_never_serves_the_next_call(server, config_of, outcomes, chunked):
    _, _, text = HI.partition(b"\r\n\r\n")
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(text) + b"0\r\n\r\n"
    server.respond_with(whole + (whole.replace(b"hi", b"no") if chunked else OTHER), reply(body("mine")))
    assert outcomes(config_of(), 2) == ["hi", "mine"]


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="two records in one packet need it")
def test_second_response_in_a_tls_record_never_serves_the_next_call(tls_server, config_of, outcomes):
    tls_server.respond_with(in_two_records, reply(body("mine")))
    config = config_of().merged(endpoint_url=f"{tls_server.url}/v1/chat/completions")
    assert outcomes(config, 2) == ["hi", "mine"]


def test_late_second_response_never_serves_the_next_call(server, config_of):
    server.respond_with(late(OTHER), reply(body("mine")))
    assert invoke(config_of(), "Hi").text == "hi"
    time.sleep(0.2)
    assert invoke(config_of(), "Hi").text == "mine"


# ---- connections that are kept all the same


@pytest.mark.parametrize(
    "raw",
    [
        HI,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(HI.partition(b"\r\n\r\n")[2]) + b"0\r\n\r\n",
        STREAM_HEAD + chunk(event(delta("hi"))) + chunk(event(STOP)) + chunk(event(b"[DONE]")) + b"0\r\n\r\n",
    ],
    ids=["length", "chunks", "stream"],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_whole_response_keeps_its_connection(server, config_of, raw, size):
    def act(connection, request) -> bool:
        for start in range(0, len(raw), size):
            connection.sendall(raw[start : start + size])
        return True

    server.respond_with(act)
    for outcomes in (outcomes_of_stream, outcomes_of_stream if raw.startswith(STREAM_HEAD) else outcomes_of_invoke):
        assert outcomes(config_of(), 3) == ["hi"] * 3
    assert server.connections == 1

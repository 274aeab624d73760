"""Calls against a real server on this machine: kept and replaced connections, and every way a response can fail."""

from __future__ import annotations

import asyncio
import gzip
import socket
import subprocess
import sys
import threading
import traceback
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from azml_magics.core.client import ainvoke, default_client, invoke
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AzmlError,
    Interrupted,
    NotFoundError,
    ResponseFormatError,
    ServiceUnavailableError,
)
from azml_magics.core.http.exchange import HTTPResponse
from azml_magics.core.http.retry import Wait
from azml_magics.core.http.transport import Transport

from ..conftest import KEY
from ..server import Received, reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}, x_request_id="r-1")


def hang_up(connection: socket.socket, request: Received) -> bool:
    return False


def says(*parts: bytes, then_hang_up: bool = True):
    """Send `parts`, and close the connection if `then_hang_up`."""

    def act(connection: socket.socket, request: Received) -> bool:
        for part in parts:
            connection.sendall(part)
        return not then_hang_up

    return act


@pytest.fixture(params=["sync", "async"])
def send(request):
    """invoke or ainvoke: every test with it runs with both."""
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


# ---- requests


def test_request_has_the_expected_headers_and_body(server, config_of, send):
    server.respond_with(HI)
    assert send(config_of(deployment_name="blue"), "Grüße").text == "hi"
    (seen,) = server.received
    assert (seen.method, seen.target) == ("POST", "/v1/chat/completions")
    assert seen.json == {"messages": [{"role": "user", "content": "Grüße"}]}
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["azureml-model-deployment"] == "blue"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["host"] == server.url.removeprefix("http://")
    assert "azml-magics" in seen.headers["user-agent"]
    assert "expect" not in seen.headers


def test_connections_are_shared_by_spellings_of_one_host(server, config_of):
    for host in ("localhost", "LOCALHOST"):
        server.respond_with(HI)
        url = server.url.replace("127.0.0.1", host)
        invoke(config_of().merged(endpoint_url=f"{url}/v1/chat/completions"), "Hi")
    assert server.connections == 1


def test_query_and_unusual_path_are_sent_unchanged(server, config_of, send):
    server.respond_with(HI)
    send(config_of("/a%20b/ü/send?x=1&y=a+b", formatter="openai-chat", endpoint_api_type="serverless"), "Hi")
    assert server.received[0].target == "/a%20b/%C3%BC/send?x=1&y=a+b"


def test_response_has_request_id_deployment_and_config(server, config_of, send):
    server.respond_with(reply(["t"], x_request_id="r-9", azureml_model_deployment="green"))
    response = send(config_of("/score", formatter="gpt2"), "Hi")
    assert (response.request_id, response.deployment, response.config) == ("r-9", "green", "prod")
    assert response.latency > 0


@pytest.mark.parametrize(("how", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_response_is_decoded(server, config_of, send, how, squeeze):
    server.respond_with(reply(squeeze(b'["squeezed"]'), content_encoding=how))
    assert send(config_of("/score", formatter="gpt2"), "Hi").text == "squeezed"


def test_repeated_headers_are_accepted(server, config_of, send):
    server.respond_with(
        reply(["t"]).replace(b"\r\n\r\n", b"\r\nserver: a\r\nserver: b\r\ndate: x\r\ndate: y\r\n\r\n", 1)
    )
    assert send(config_of("/score", formatter="gpt2"), "Hi").text == "t"


# ---- connections


def test_one_connection_serves_successive_calls(server, config_of):
    server.respond_with(HI)
    for _ in range(5):
        invoke(config_of(), "Hi")
    assert {seen.connection for seen in server.received} == {1}


async def test_one_connection_serves_successive_calls_on_a_loop(server, config_of):
    server.respond_with(HI)
    for _ in range(5):
        await ainvoke(config_of(), "Hi")
    assert {seen.connection for seen in server.received} == {1}


def test_connection_is_kept_after_an_error_status(server, config_of):
    server.respond_with(reply({"detail": "no"}, 400), reply({"detail": "no"}, 400), HI)
    for _ in range(2):
        with pytest.raises(AzmlError):
            invoke(config_of(), "Hi")
    invoke(config_of(), "Hi")
    assert server.connections == 1


def test_server_that_closes_gets_a_new_connection_each_time(server, config_of, send):
    server.respond_with(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")))
    for _ in range(3):
        assert send(config_of(), "Hi").text == "hi"
    assert server.connections == 3


def test_closed_kept_connection_is_replaced(server, config_of):
    server.respond_with(HI)
    invoke(config_of(), "Hi")
    server.close_connections()
    assert invoke(config_of(), "Hi").text == "hi"
    assert server.connections == 2


async def test_closed_kept_connection_is_replaced_on_a_loop(server, config_of):
    server.respond_with(HI)
    await ainvoke(config_of(), "Hi")
    server.close_connections()
    await asyncio.sleep(0.05)
    assert (await ainvoke(config_of(), "Hi")).text == "hi"
    assert server.connections == 2


def test_connection_that_closes_during_the_request_is_replaced(server, config_of):
    """The server closes while the next request is on its way: it handled nothing, so the request is sent again."""
    server.respond_with(HI, HI, hang_up, HI)
    held = threading.Barrier(2)

    def together(connection: socket.socket, request: Received) -> bool:
        held.wait(10)
        connection.sendall(HI)
        return True

    server.respond_with(together, together, hang_up, HI)
    with ThreadPoolExecutor(2) as pool:  # two idle connections, so that a second stale one could be used
        list(pool.map(lambda _: invoke(config_of(), "Hi"), range(2)))
    assert server.connections == 2
    assert invoke(config_of(), "Hi").text == "hi"
    assert server.connections == 3


def test_new_connection_that_closes_is_not_retried(server, config_of, send):
    server.respond_with(hang_up, HI)
    with pytest.raises(APIConnectionError, match="broke before the response was complete") as caught:
        send(config_of(max_retries=3), "Hi")
    assert len(server.received) == 1
    assert "config 'prod'" in str(caught.value)


def test_crash_on_unkept_connection_is_not_retried(server, config_of):
    """Microsoft's scoring server closes after each response; a request that crashes it must not be sent twice."""
    server.respond_with(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")), hang_up, HI)
    invoke(config_of(), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        invoke(config_of(), "Hi")
    assert len(server.received) == 2


async def test_crash_on_unkept_connection_is_not_retried_on_a_loop(server, config_of):
    server.respond_with(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")), hang_up, HI)
    await ainvoke(config_of(), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        await ainvoke(config_of(), "Hi")
    assert len(server.received) == 2


def test_incomplete_response_is_not_retried(server, config_of):
    server.respond_with(HI, says(HI[:-10]), HI)
    invoke(config_of(max_retries=3), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        invoke(config_of(max_retries=3), "Hi")
    assert len(server.received) == 2


async def test_incomplete_response_is_not_retried_on_a_loop(server, config_of):
    server.respond_with(HI, says(HI[:-10]), HI)
    await ainvoke(config_of(max_retries=3), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        await ainvoke(config_of(max_retries=3), "Hi")
    assert len(server.received) == 2


def test_many_threads_get_their_own_responses(server, config_of):
    def echo(connection: socket.socket, request: Received) -> bool:
        connection.sendall(reply([request.json["inputs"]["input_string"][0]]))
        return True

    server.respond_with(echo)
    config = config_of("/score", formatter="gpt2")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: invoke(config, f"prompt {n}").text, range(320)))
    assert answers == [f"prompt {n}" for n in range(320)]
    assert server.connections <= 32


async def test_many_tasks_get_their_own_responses(server, config_of):
    def echo(connection: socket.socket, request: Received) -> bool:
        connection.sendall(reply([request.json["inputs"]["input_string"][0]]))
        return True

    server.respond_with(echo)
    config = config_of("/score", formatter="gpt2")
    for _ in range(2):
        answers = await asyncio.gather(*(ainvoke(config, f"prompt {n}") for n in range(40)))
        assert [answer.text for answer in answers] == [f"prompt {n}" for n in range(40)]
    assert server.connections <= 40


def test_close_closes_kept_connections(server, config_of):
    server.respond_with(HI)
    invoke(config_of(), "Hi")
    default_client().close()
    invoke(config_of(), "Hi")
    assert server.connections == 2


LOOPS = """
import asyncio, gc, sys
from azml_magics import LLMConfig, ainvoke, astream

config = LLMConfig(endpoint_url=sys.argv[1], key=None)

async def some():
    async with astream(config, "left early") as pieces:
        async for piece in pieces:
            break
    answers = await asyncio.gather(*(ainvoke(config, "Hi") for _ in range(4)))
    print(*(answer.text for answer in answers))

for _ in range(3):
    asyncio.run(some())
gc.collect()
"""


def test_connections_of_a_loop_close_with_it(server):
    """No ResourceWarning and no "Event loop is closed" afterwards, which a notebook shows in red."""
    server.respond_with(HI)
    command = [sys.executable, "-W", "error", "-c", LOOPS, f"{server.url}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("hi hi hi hi\n" * 3, "")


def test_cancelled_call_closes_its_connection(server, config_of):
    asked, let_go = threading.Event(), threading.Event()

    def never(connection: socket.socket, request: Received) -> bool:
        asked.set()
        let_go.wait(20)
        return False

    server.respond_with(never, HI)

    async def cancelled() -> str:
        task = asyncio.create_task(ainvoke(config_of(), "Hi"))
        await asyncio.to_thread(asked.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return (await ainvoke(config_of(), "Hi")).text

    try:
        assert asyncio.run(cancelled()) == "hi"
        assert [seen.connection for seen in server.received] == [1, 2]
    finally:
        let_go.set()


# ---- failures


def test_connection_refused_is_an_api_connection_error(config_of, send):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/score"
    with pytest.raises(APIConnectionError, match=r"Cannot connect to 127.0.0.1") as caught:
        send(config_of(formatter="gpt2").merged(endpoint_url=url), "Hi")
    assert "URL" in caught.value.remedy
    assert isinstance(caught.value, ConnectionError)


def test_timeout_is_not_retried(server, config_of, send):
    let_go = threading.Event()
    server.respond_with(lambda connection, request: let_go.wait(20) and False)
    try:
        with pytest.raises(APITimeoutError, match=r"No data from 127.0.0.1:\d+ for 1 s") as caught:
            send(config_of(timeout=1, max_retries=3), "Hi")
    finally:
        let_go.set()
    assert len(server.received) == 1
    assert isinstance(caught.value, TimeoutError)


def test_timeout_within_the_body_is_a_timeout(server, config_of, send):
    let_go = threading.Event()

    def half(connection: socket.socket, request: Received) -> bool:
        connection.sendall(HI[:-10])
        let_go.wait(20)
        return False

    server.respond_with(half)
    try:
        with pytest.raises(APITimeoutError):
            send(config_of(timeout=0.2), "Hi")
    finally:
        let_go.set()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[", APIConnectionError),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n["t', APIConnectionError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", APIConnectionError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnotgz", APIConnectionError),
        (b"SSH-2.0-OpenSSH_9\r\n", APIConnectionError),
        (b"\x15\x03\x01\x00\x02\x02\x46", APIConnectionError),
        (b"HTTP/1.1 banana\r\n\r\n", APIConnectionError),
        (b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n", APIConnectionError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ResponseFormatError),
        (b'HTTP/1.1 200 OK\r\n\r\n["half', ResponseFormatError),
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", ServiceUnavailableError),
    ],
    ids=[
        "content cut off",
        "chunk cut off",
        "no chunk size",
        "no gzip",
        "another protocol",
        "TLS",
        "no status",
        "no header",
        "empty",
        "cut off, no length",
        "503",
    ],
)
def test_malformed_responses_give_one_line_errors(server, config_of, send, raw, kind):
    server.respond_with(says(raw))
    with pytest.raises(kind) as caught:
        send(config_of(), "Hi")
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    assert "config 'prod'" in str(caught.value)
    assert KEY not in str(caught.value)


def test_redirect_is_not_followed(server, config_of, send):
    server.respond_with(reply("", 302, location=f"{server.url}/elsewhere"), HI)
    with pytest.raises(NotFoundError, match="redirects elsewhere, and keys are not sent to another host"):
        send(config_of(), "Hi")
    assert [seen.target for seen in server.received] == ["/v1/chat/completions"]


def test_cookies_are_not_kept(server, config_of, send):
    server.respond_with(reply(["t"], set_cookie="session=abc; Path=/"))
    for _ in range(2):
        send(config_of("/score", formatter="gpt2"), "Hi")
    assert all("cookie" not in seen.headers for seen in server.received)


def test_loopback_bypasses_the_proxy(server, config_of, send, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.respond_with(HI)
    assert send(config_of(), "Hi").text == "hi"


def test_temporary_failures_are_retried_after_retry_after(server, config_of, send):
    server.respond_with(reply("", 503, retry_after_ms="1"), reply("", 429, retry_after_ms="1"), HI)
    assert send(config_of(max_retries=2), "Hi").text == "hi"
    assert len(server.received) == 3


# ---- transport and flow


def test_send_waits_as_the_flow_says():
    def flow():
        yield Wait(1.5)
        yield Wait(2.5)
        return HTTPResponse(200, {}, b"done")

    slept: list[float] = []
    assert Transport().send(flow(), wait=slept.append).body == b"done"
    assert slept == [1.5, 2.5]


def traceback_with_locals(send, config) -> str:
    """The traceback of a failed call as a debugger, a bug report or IPython's verbose mode shows it."""
    try:
        send(config, "Hi")
    except AzmlError:
        return "".join(traceback.TracebackException(*sys.exc_info(), capture_locals=True).format())
    raise AssertionError("the call was to fail")


@pytest.mark.parametrize(
    "outcome",
    [says(HI[:-10]), hang_up, reply({"message": f"bad key {KEY}"}, 401), reply("", 503), b"SSH-2.0-x\r\n\r\n"],
    ids=["cut off", "hung up", "a server that repeats the key", "503", "another protocol"],
)
def test_tracebacks_with_locals_hide_the_key(server, config_of, send, outcome):
    server.respond_with(outcome)
    shown = traceback_with_locals(send, config_of())
    assert "prepared = PreparedCall(" in shown
    assert KEY not in shown


def test_interrupt_between_attempts_ends_the_call(server, config_of, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    server.respond_with(reply("", 503, retry_after="20"), HI)
    send = Transport.send
    monkeypatch.setattr(Transport, "send", lambda self, flow: send(self, flow, wait=interrupted))
    with pytest.raises(Interrupted) as caught:
        invoke(config_of(max_retries=2), "Hi")
    assert caught.value.__suppress_context__
    assert str(caught.value) == "Stopped before the first token; nothing had arrived."

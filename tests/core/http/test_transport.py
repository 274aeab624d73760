"""The network against a real server on this machine: connections kept and replaced, and every way a reply can fail."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import sys
import threading
import traceback
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from azml_magics.core.client import ainvoke, invoke
from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AzmlError,
    Interrupted,
    NotFoundError,
    ResponseFormatError,
    ServiceUnavailableError,
)
from azml_magics.core.http import connection, transport
from azml_magics.core.http.exchange import HTTPResponse, Request
from azml_magics.core.http.retry import SendRequest, Wait, retry_flow

from ..conftest import KEY
from ..server import Received, reply

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}, x_request_id="r-1")


def hang_up(connection: socket.socket, request: Received) -> bool:
    return False


def says(*parts: bytes, then_hang_up: bool = True):
    """Sends `parts` and, unless told otherwise, closes the connection."""

    def act(connection: socket.socket, request: Received) -> bool:
        for part in parts:
            connection.sendall(part)
        return not then_hang_up

    return act


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """invoke or ainvoke: every test that uses it runs both ways."""
    if request.param == "sync":
        return invoke
    return lambda config, prompt: asyncio.run(ainvoke(config, prompt))


# ---- what goes over the wire


def test_the_request_as_the_server_sees_it(server, config_of, ask):
    server.answers(HI)
    assert ask(config_of(deployment_name="blue"), "Grüße").text == "hi"
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
        server.answers(HI)
        url = server.url.replace("127.0.0.1", host)
        invoke(config_of().merged(endpoint_url=f"{url}/v1/chat/completions"), "Hi")
    assert server.connections == 1


def test_the_query_and_an_odd_path_arrive_as_they_were_written(server, config_of, ask):
    server.answers(HI)
    ask(config_of("/a%20b/ü/ask?x=1&y=a+b", formatter="openai-chat", endpoint_api_type="serverless"), "Hi")
    assert server.received[0].target == "/a%20b/%C3%BC/ask?x=1&y=a+b"


def test_the_response_knows_its_request(server, config_of, ask):
    server.answers(reply(["t"], x_request_id="r-9", azureml_model_deployment="green"))
    response = ask(config_of("/score", formatter="gpt2"), "Hi")
    assert (response.request_id, response.deployment, response.config) == ("r-9", "green", "prod")
    assert response.latency > 0


@pytest.mark.parametrize(("how", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_gateway_that_compresses_unasked_is_understood(server, config_of, ask, how, squeeze):
    server.answers(reply(squeeze(b'["squeezed"]'), content_encoding=how))
    assert ask(config_of("/score", formatter="gpt2"), "Hi").text == "squeezed"


def test_repeated_headers_do_not_matter(server, config_of, ask):
    server.answers(reply(["t"]).replace(b"\r\n\r\n", b"\r\nserver: a\r\nserver: b\r\ndate: x\r\ndate: y\r\n\r\n", 1))
    assert ask(config_of("/score", formatter="gpt2"), "Hi").text == "t"


# ---- connections


def test_one_connection_serves_call_after_call(server, config_of):
    server.answers(HI)
    for _ in range(5):
        invoke(config_of(), "Hi")
    assert {seen.connection for seen in server.received} == {1}


async def test_one_connection_serves_call_after_call_on_a_loop(server, config_of):
    server.answers(HI)
    for _ in range(5):
        await ainvoke(config_of(), "Hi")
    assert {seen.connection for seen in server.received} == {1}


def test_errors_keep_the_connection_too(server, config_of):
    server.answers(reply({"detail": "no"}, 400), reply({"detail": "no"}, 400), HI)
    for _ in range(2):
        with pytest.raises(AzmlError):
            invoke(config_of(), "Hi")
    invoke(config_of(), "Hi")
    assert server.connections == 1


def test_a_server_that_closes_after_each_reply_gets_a_new_connection_each_time(server, config_of, ask):
    server.answers(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")))
    for _ in range(3):
        assert ask(config_of(), "Hi").text == "hi"
    assert server.connections == 3


def test_a_kept_connection_that_the_server_closed_is_replaced(server, config_of):
    server.answers(HI)
    invoke(config_of(), "Hi")
    server.hang_up_on_everybody()
    assert invoke(config_of(), "Hi").text == "hi"
    assert server.connections == 2


async def test_a_kept_connection_that_the_server_closed_is_replaced_on_a_loop(server, config_of):
    server.answers(HI)
    await ainvoke(config_of(), "Hi")
    server.hang_up_on_everybody()
    await asyncio.sleep(0.05)
    assert (await ainvoke(config_of(), "Hi")).text == "hi"
    assert server.connections == 2


def test_a_kept_connection_that_closes_under_the_request_is_replaced_by_a_fresh_one(server, config_of):
    """The server hangs up just as the next request is on its way: nothing was served, so it is asked again."""
    server.answers(HI, HI, hang_up, HI)
    held = threading.Barrier(2)

    def together(connection: socket.socket, request: Received) -> bool:
        held.wait(10)
        connection.sendall(HI)
        return True

    server.answers(together, together, hang_up, HI)
    with ThreadPoolExecutor(2) as pool:  # two idle connections, so that a second stale one could be picked
        list(pool.map(lambda _: invoke(config_of(), "Hi"), range(2)))
    assert server.connections == 2
    assert invoke(config_of(), "Hi").text == "hi"
    assert server.connections == 3


def test_a_fresh_connection_that_closes_without_a_word_is_not_asked_again(server, config_of, ask):
    server.answers(hang_up, HI)
    with pytest.raises(APIConnectionError, match="broke before the response was complete") as caught:
        ask(config_of(max_retries=3), "Hi")
    assert len(server.received) == 1
    assert "config 'prod'" in str(caught.value)


def test_a_new_connection_to_a_server_that_never_keeps_one_is_no_kept_one(server, config_of):
    """Microsoft's scoring server closes after each reply: one that crashes must not be asked a second time."""
    server.answers(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")), hang_up, HI)
    invoke(config_of(), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        invoke(config_of(), "Hi")
    assert len(server.received) == 2


async def test_a_new_connection_to_a_server_that_never_keeps_one_is_no_kept_one_on_a_loop(server, config_of):
    server.answers(says(HI.replace(b"Content-Type", b"Connection: close\r\nContent-Type")), hang_up, HI)
    await ainvoke(config_of(), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        await ainvoke(config_of(), "Hi")
    assert len(server.received) == 2


def test_a_body_that_breaks_off_on_a_kept_connection_is_not_asked_again(server, config_of):
    server.answers(HI, says(HI[:-10]), HI)
    invoke(config_of(max_retries=3), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        invoke(config_of(max_retries=3), "Hi")
    assert len(server.received) == 2


async def test_a_body_that_breaks_off_on_a_kept_connection_is_not_asked_again_on_a_loop(server, config_of):
    server.answers(HI, says(HI[:-10]), HI)
    await ainvoke(config_of(max_retries=3), "Hi")
    with pytest.raises(APIConnectionError, match="broke before the response was complete"):
        await ainvoke(config_of(max_retries=3), "Hi")
    assert len(server.received) == 2


def test_thirty_two_threads_get_their_own_answers_over_kept_connections(server, config_of):
    def echo(connection: socket.socket, request: Received) -> bool:
        connection.sendall(reply([request.json["inputs"]["input_string"][0]]))
        return True

    server.answers(echo)
    config = config_of("/score", formatter="gpt2")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: invoke(config, f"prompt {n}").text, range(320)))
    assert answers == [f"prompt {n}" for n in range(320)]
    assert server.connections <= 32


async def test_many_tasks_get_their_own_answers_over_kept_connections(server, config_of):
    def echo(connection: socket.socket, request: Received) -> bool:
        connection.sendall(reply([request.json["inputs"]["input_string"][0]]))
        return True

    server.answers(echo)
    config = config_of("/score", formatter="gpt2")
    for _ in range(2):
        answers = await asyncio.gather(*(ainvoke(config, f"prompt {n}") for n in range(40)))
        assert [answer.text for answer in answers] == [f"prompt {n}" for n in range(40)]
    assert server.connections <= 40


def test_close_ends_the_kept_connections(server, config_of):
    server.answers(HI)
    invoke(config_of(), "Hi")
    transport.close()
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


def test_a_loops_connections_end_with_the_loop(server):
    """No ResourceWarning and no "Event loop is closed" afterwards: what a notebook user would see in red."""
    server.answers(HI)
    command = [sys.executable, "-W", "error", "-c", LOOPS, f"{server.url}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("hi hi hi hi\n" * 3, "")


def test_a_cancelled_call_closes_its_connection(server, config_of):
    asked, let_go = threading.Event(), threading.Event()

    def never(connection: socket.socket, request: Received) -> bool:
        asked.set()
        let_go.wait(20)
        return False

    server.answers(never, HI)

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


# ---- replies that fail


def test_nobody_listens(config_of, ask):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/score"
    with pytest.raises(APIConnectionError, match=r"Cannot connect to 127.0.0.1") as caught:
        ask(config_of(formatter="gpt2").merged(endpoint_url=url), "Hi")
    assert "URL" in caught.value.remedy
    assert isinstance(caught.value, ConnectionError)


def test_a_slow_answer_is_a_timeout_and_is_not_asked_again(server, config_of, ask):
    let_go = threading.Event()
    server.answers(lambda connection, request: let_go.wait(20) and False)
    try:
        with pytest.raises(APITimeoutError, match=r"No byte from 127.0.0.1:\d+ for 0.2 s") as caught:
            ask(config_of(timeout=0.2, max_retries=3), "Hi")
    finally:
        let_go.set()
    assert len(server.received) == 1
    assert isinstance(caught.value, TimeoutError)


def test_a_timeout_within_the_body_is_a_timeout_too(server, config_of, ask):
    let_go = threading.Event()

    def half(connection: socket.socket, request: Received) -> bool:
        connection.sendall(HI[:-10])
        let_go.wait(20)
        return False

    server.answers(half)
    try:
        with pytest.raises(APITimeoutError):
            ask(config_of(timeout=0.2), "Hi")
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
def test_broken_replies_are_one_line(server, config_of, ask, raw, kind):
    server.answers(says(raw))
    with pytest.raises(kind) as caught:
        ask(config_of(), "Hi")
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    assert "config 'prod'" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_redirect_is_not_followed_and_the_key_stays_here(server, config_of, ask):
    server.answers(reply("", 302, location=f"{server.url}/elsewhere"), HI)
    with pytest.raises(NotFoundError, match="redirects elsewhere, and a key is not carried along"):
        ask(config_of(), "Hi")
    assert [seen.target for seen in server.received] == ["/v1/chat/completions"]


def test_cookies_of_one_call_do_not_travel_with_the_next(server, config_of, ask):
    server.answers(reply(["t"], set_cookie="session=abc; Path=/"))
    for _ in range(2):
        ask(config_of("/score", formatter="gpt2"), "Hi")
    assert all("cookie" not in seen.headers for seen in server.received)


def test_no_proxy_is_asked_for_this_machine(server, config_of, ask, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.answers(HI)
    assert ask(config_of(), "Hi").text == "hi"


def test_a_passing_failure_is_asked_again_and_the_wait_is_kept(server, config_of, ask):
    server.answers(reply("", 503, retry_after_ms="1"), reply("", 429, retry_after_ms="1"), HI)
    assert ask(config_of(max_retries=2), "Hi").text == "hi"
    assert len(server.received) == 3


# ---- the drivers and the flow


def test_the_driver_sleeps_as_the_plan_says():
    def flow():
        yield Wait(1.5)
        yield Wait(2.5)
        return HTTPResponse(200, {}, b"done")

    slept: list[float] = []
    assert transport.send(flow(), wait=slept.append).body == b"done"
    assert slept == [1.5, 2.5]


def test_every_failure_of_the_network_is_in_the_policys_words():
    import httpcore

    foreign = [kind for kind in vars(httpcore).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(foreign) > 10
    for kind in foreign:
        for has_begun in (False, True):
            found = connection.send_failure(kind("x"), has_begun=has_begun)
            flow = retry_flow(Request("https://n/score", {}, b"", 1), max_retries=0)
            assert isinstance(next(flow), SendRequest)
            with pytest.raises((APIConnectionError, APITimeoutError)):
                flow.send(found)
    assert connection.send_failure(httpcore.ReadTimeout("x")).reason == "timeout"
    assert connection.send_failure(httpcore.ReadTimeout("x"), has_begun=True).reason == "timeout"
    assert connection.send_failure(httpcore.ConnectTimeout("x")).reason == "connect-timeout"
    assert connection.send_failure(httpcore.ConnectError("x")).reason == "connect-error"
    assert connection.send_failure(httpcore.RemoteProtocolError("x")).reason == "closed"
    assert connection.send_failure(httpcore.RemoteProtocolError("x"), has_begun=True).reason == "incomplete"
    assert connection.send_failure(ValueError()).reason == "invalid"


def test_a_certificate_that_nobody_vouches_for_is_not_asked_again():
    import httpcore

    error = httpcore.ConnectError("verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert connection.send_failure(error).reason == "untrusted"


def traceback_with_locals(ask, config) -> str:
    """What a debugger, a bug report or IPython's verbose mode would show of a call that fails."""
    try:
        ask(config, "Hi")
    except AzmlError:
        return "".join(traceback.TracebackException(*sys.exc_info(), capture_locals=True).format())
    raise AssertionError("the call was to fail")


@pytest.mark.parametrize(
    "outcome",
    [says(HI[:-10]), hang_up, reply({"message": f"bad key {KEY}"}, 401), reply("", 503), b"SSH-2.0-x\r\n\r\n"],
    ids=["cut off", "hung up", "a server that repeats the key", "503", "another protocol"],
)
def test_no_traceback_with_locals_shows_the_key(server, config_of, ask, outcome):
    server.answers(outcome)
    shown = traceback_with_locals(ask, config_of())
    assert "prepared = PreparedCall(" in shown
    assert KEY not in shown


def test_an_interrupt_while_waiting_for_the_next_try_ends_the_call(server, config_of, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    server.answers(reply("", 503, retry_after="20"), HI)
    send = transport.send
    monkeypatch.setattr(transport, "send", lambda flow: send(flow, wait=interrupted))
    with pytest.raises(Interrupted) as caught:
        invoke(config_of(max_retries=2), "Hi")
    assert caught.value.__suppress_context__
    assert str(caught.value) == "Stopped before the first token; nothing had arrived."

"""Responses that the server makes in the background: asked for until they are ready, and cancelled."""

from __future__ import annotations

import asyncio
import json
import signal
import threading

import pytest

from azml_magics.compare.side_by_side import BatchRequest, BatchRun
from azml_magics.core import polling
from azml_magics.core.client import ainvoke, invoke, stream
from azml_magics.core.errors import APITimeoutError, Interrupted, ServiceUnavailableError
from azml_magics.core.http import waiting
from azml_magics.core.http.exchange import HTTPResponse, Request
from azml_magics.core.http.retry import SendRequest, Wait, advance, last_request, retry_flow
from azml_magics.core.http.run_control import RunCancelled, limit_rate
from azml_magics.core.http.waiting import observe_waiting
from azml_magics.core.wire import get

RESPONSES = "/openai/v1/responses"
URL = "https://h/openai/v1/responses"


def reply(status: str, text: str = "", ident: str = "resp_1", code: int = 200) -> bytes:
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}] if text else []
    body = json.dumps({"id": ident, "status": status, "output": output}).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (code, len(body), body)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 0.001)


def background(config_of, **fields):
    return config_of(RESPONSES, model="o3-pro", model_kwargs={"background": True}, **fields)


def test_response_is_asked_for_until_it_is_ready(server, config_of, monkeypatch):
    monkeypatch.setattr(waiting, "SHORTEST_REPORTED", 0.0)
    server.respond_with(reply("queued"), reply("in_progress"), reply("completed", "Done."))
    waits = []
    with observe_waiting(waits.append):
        assert invoke(background(config_of), "Prove it.").text == "Done."
    assert [str(wait).partition(":")[0] for wait in waits] == ["queued", "in_progress", "None"]
    post, *gets = server.received
    assert (post.method, post.target, post.json["background"]) == ("POST", RESPONSES, True)
    assert [(get.method, get.target, get.body) for get in gets] == [("GET", f"{RESPONSES}/resp_1", b"")] * 2
    assert gets[0].headers["authorization"] == post.headers["authorization"]


def test_stream_and_async_call_ask_alike(server, config_of):
    replies = [reply("queued"), reply("completed", "Done.")]
    server.respond_with(*replies)
    with stream(background(config_of), "x") as chunks:
        assert [chunk.text for chunk in chunks] == ["Done."]
    server.respond_with(*replies)
    assert asyncio.run(ainvoke(background(config_of), "x")).text == "Done."


def test_query_and_odd_id_stay_in_their_places(server, config_of):
    server.respond_with(reply("queued", ident="a/b?c"), reply("completed", "Done."))
    invoke(background(config_of).merged(endpoint_url=f"{server.url}/openai/responses/?api-version=v"), "x")
    assert server.received[-1].target == "/openai/responses/a%2Fb%3Fc?api-version=v"


def test_failure_while_asking_is_retried_and_then_raised(server, config_of):
    down = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n"
    server.respond_with(reply("queued"), down, reply("completed", "Done."))
    assert invoke(background(config_of, max_retries=1), "x").text == "Done."
    server.respond_with(reply("queued"), down)
    with pytest.raises(ServiceUnavailableError):
        invoke(background(config_of), "x")


# ---- the flow, without a network


def flow_of(*, total_timeout: float | None = None, clock=lambda: 0.0):
    wire = get("openai-responses").wires[0]
    request = Request(URL, {"api-key": "k"}, b'{"input":"x"}', 30, total_timeout=total_timeout)
    return polling.polling_flow(
        request,
        lambda each: retry_flow(each, max_retries=0),
        lambda response: wire.find_pending(response.body, URL),
        clock,
    )


def http(status: str) -> HTTPResponse:
    return HTTPResponse(200, {}, json.dumps({"id": "resp_1", "status": status, "output": []}).encode())


def test_delay_grows_to_a_limit(monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 0.5)
    flow, delays = flow_of(), []
    advance(flow)
    for _ in range(12):
        wait = advance(flow, http("queued"))
        assert isinstance(wait, Wait)
        delays.append(wait.seconds)
        advance(flow)
    assert delays[:3] == [0.5, 0.75, 1.125]
    assert delays[-1] == polling.MAX_DELAY
    assert isinstance(advance(flow, http("completed")), HTTPResponse)


def check_cancel(step) -> None:
    assert isinstance(step, SendRequest)
    request = step.request
    assert (request.method, request.url, request.body) == ("POST", f"{URL}/resp_1/cancel", b"{}")
    assert request.headers == {"api-key": "k"}


@pytest.mark.parametrize("is_asking", [False, True])
@pytest.mark.parametrize("reason", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_interrupt_cancels_the_response(reason, is_asking):
    flow = flow_of()
    advance(flow)
    advance(flow, http("queued"))
    if is_asking:
        advance(flow)
    check_cancel(last_request(flow, reason))
    with pytest.raises(type(reason)):
        advance(flow)


def test_interrupt_before_the_first_reply_cancels_nothing():
    flow = flow_of()
    advance(flow)
    assert last_request(flow, KeyboardInterrupt()) is None


def test_total_timeout_cancels_the_response():
    now = iter([0.0, 6.0, 11.0])
    flow = flow_of(total_timeout=10, clock=lambda: next(now))
    advance(flow)
    assert isinstance(advance(flow, http("queued")), Wait)
    advance(flow)
    check_cancel(advance(flow, http("queued")))
    with pytest.raises(APITimeoutError, match="not ready after 10 s"):
        advance(flow)


# ---- over a network: the response is cancelled on the server


def check_cancelled(server) -> None:
    assert (server.received[-1].method, server.received[-1].target) == ("POST", f"{RESPONSES}/resp_1/cancel")
    assert server.received[-1].headers["authorization"] == server.received[0].headers["authorization"]


@pytest.fixture
def working(server, monkeypatch):
    """A server that never finishes its response; `then` is called once it has been asked."""
    monkeypatch.setattr(polling, "FIRST_DELAY", 30.0)

    def respond(then):
        def first(connection, received):
            connection.sendall(reply("queued"))
            threading.Timer(0.1, then).start()
            return True

        server.respond_with(first, reply("cancelled"))
        return server

    return respond


def _streamed(config) -> list:
    with stream(config, "x") as chunks:
        return list(chunks)


@pytest.fixture
def interrupt():
    """Interrupts the main thread as Jupyter's stop button does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("call", [lambda config: invoke(config, "x"), _streamed], ids=["whole", "streamed"])
def test_kernel_interrupt_cancels_on_the_server(working, config_of, interrupt, call):
    server = working(interrupt)
    with pytest.raises(Interrupted):
        call(background(config_of))
    check_cancelled(server)


def test_stopped_run_cancels_on_the_server(working, config_of):
    with limit_rate() as run:
        server = working(run.stop)
        with pytest.raises(RunCancelled):
            invoke(background(config_of), "x")
    check_cancelled(server)


def test_run_abandoned_within_a_request_cancels_on_the_server(working, config_of, monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 0.001)
    with limit_rate() as run:
        server = working(lambda: None)

        def hold(connection, received):
            run.abandon()
            connection.recv(1)
            return False

        server.respond_with(reply("queued"), hold, reply("cancelled"))
        with pytest.raises(RunCancelled):
            invoke(background(config_of), "x")
    check_cancelled(server)


def test_cancelled_task_cancels_on_the_server(working, config_of):
    async def main():
        task = asyncio.ensure_future(ainvoke(background(config_of), "x"))
        loop = asyncio.get_running_loop()
        server = working(lambda: loop.call_soon_threadsafe(task.cancel))
        with pytest.raises(asyncio.CancelledError):
            await task
        check_cancelled(server)

    asyncio.run(main())


def test_stopped_batch_cancels_on_the_server(working, config_of):
    run = BatchRun([BatchRequest({}, background(config_of), [{"role": "user", "content": "x"}])])
    asked = threading.Event()
    server = working(asked.set)
    run.start()
    assert asked.wait(10)
    run.stop()
    assert run.wait(10)
    check_cancelled(server)

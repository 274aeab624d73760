"""Streamed responses: what has arrived is kept, however the stream ends."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from azml_magics.core import stream_reader
from azml_magics.core.client import astream, stream
from azml_magics.core.errors import (
    APITimeoutError,
    AzmlError,
    BadRequestError,
    ContentFilterError,
    Interrupted,
    ModelError,
    ResponseFormatError,
    ServiceUnavailableError,
    StreamInterruptedError,
)
from azml_magics.core.response import Chunk, Response, Usage

from .conftest import KEY
from .server import STREAM_HEAD, chunk, delta, event, reply, streamed

DONE = b"[DONE]"
CLOSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def whole(*texts: str) -> bytes:
    return streamed(*(delta(text) for text in texts), STOP, DONE)


def read_sync(config, prompt="Hi"):
    with stream(config, prompt) as pieces:
        return list(pieces), pieces


def read_async(config, prompt="Hi"):
    async def run():
        async with astream(config, prompt) as pieces:
            return [piece async for piece in pieces], pieces

    return asyncio.run(run())


@pytest.fixture(params=[read_sync, read_async], ids=["sync", "async"])
def read(request):
    """Reads a whole stream; every test with it runs sync and async."""
    return request.param


def keep(came, pieces):
    """Append the texts of `pieces` to `came` as they arrive."""
    with pieces:
        for piece in pieces:
            came.append(piece.text)


async def akeep(came, pieces):
    async with pieces:
        async for piece in pieces:
            came.append(piece.text)


@pytest.fixture(params=["sync", "async"])
def fail(request):
    """Reads a stream that must fail; returns what had arrived and the error."""

    def sync(config):
        came = []
        with pytest.raises(AzmlError) as caught:
            keep(came, stream(config, "Hi"))
        return came, caught.value

    def run(config):
        async def read():
            came = []
            with pytest.raises(AzmlError) as caught:
                await akeep(came, astream(config, "Hi"))
            return came, caught.value

        return asyncio.run(read())

    return sync if request.param == "sync" else run


def test_stream_gives_chunks_and_the_whole_response(server, config_of, read):
    server.respond_with(streamed(delta("", role="assistant"), delta("Once "), delta("upon"), STOP, DONE))
    chunks, pieces = read(config_of())
    assert "".join(piece.text for piece in chunks) == "Once upon"
    response = pieces.response
    assert (response.text, response.finish_reason, response.model) == ("Once upon", "stop", "tiny")
    assert (response.request_id, response.deployment, response.config) == ("r-77", "blue", "prod")
    assert response.time_to_first_token is not None
    assert 0 < response.time_to_first_token <= response.latency
    assert pieces.response.latency == response.latency


def test_stream_requests_usage(server, config_of, read):
    server.respond_with(
        streamed(delta("a"), STOP, {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}, DONE)
    )
    _, pieces = read(config_of())
    assert server.received[0].json["stream"] is True
    assert server.received[0].json["stream_options"] == {"include_usage": True}
    assert pieces.response.usage == Usage(1, 2, 3)


def test_stream_without_stream_options_if_rejected(server, config_of, read):
    refused = {"detail": "Extra parameters ['stream_options'] are not allowed when extra-parameters is not set"}
    server.respond_with(reply(refused, 400), whole("fine"))
    _, pieces = read(config_of())
    assert pieces.response.text == "fine"
    assert "stream_options" not in server.received[1].json


def test_model_that_does_not_stream_gives_one_chunk(server, config_of, read):
    refused = {"error": {"message": "This model does not support streaming.", "param": "stream"}}
    answer = {"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}
    server.respond_with(reply(refused, 400), reply(answer))
    _, pieces = read(config_of())
    assert pieces.response.text == "fine"
    assert "stream" not in server.received[1].json


def test_connection_of_a_complete_stream_is_kept(server, config_of):
    server.respond_with(whole("a"))
    for _ in range(3):
        read_sync(config_of())
    assert server.connections == 1


def test_server_that_ignores_stream_gives_one_chunk(server, config_of, read):
    server.respond_with(reply({"choices": [{"message": {"content": "all"}, "finish_reason": "stop"}], "model": "m"}))
    chunks, pieces = read(config_of())
    assert [piece.text for piece in chunks] == ["all"]
    assert pieces.response.raw["model"] == "m"


def test_wire_that_cannot_stream_gives_one_chunk(server, config_of, read):
    server.respond_with(reply(["all"]))
    chunks, pieces = read(config_of("/score", formatter="gpt2"))
    assert chunks == [Chunk("all")]
    assert (pieces.response.text, pieces.response.raw) == ("all", ["all"])


def test_reasoning_tool_calls_and_logprobs_are_joined(server, config_of, read):
    server.respond_with(
        streamed(
            {"choices": [{"delta": {"reasoning_content": "Let me "}}]},
            {"choices": [{"delta": {"reasoning_content": "see."}, "logprobs": {"content": [{"token": "a"}]}}]},
            {
                "choices": [
                    {"delta": {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]}}
                ]
            },
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"city"'}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "g"}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ':"Oslo"}'}}]}}]},
            {"choices": [{"delta": {}, "finish_reason": "tool_calls", "logprobs": {"content": [{"token": "b"}]}}]},
            DONE,
        )
    )
    response = read(config_of())[1].response
    assert response.reasoning == "Let me see."
    assert response.tool_calls == (
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Oslo"}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
    )
    assert response.logprobs == {"content": [{"token": "a"}, {"token": "b"}]}
    assert response.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "fragment",
    [
        {"index": 0, "id": 7, "function": {"name": 7, "arguments": {"a": 1}}},
        {"index": "x", "function": "f"},
        {"index": None, "function": {"name": None, "arguments": None}},
        {"function": []},
        {},
    ],
)
def test_malformed_tool_call_fragments_are_accepted(server, config_of, fragment):
    server.respond_with(streamed({"choices": [{"delta": {"tool_calls": [fragment]}}]}, STOP, DONE))
    (call,) = read_sync(config_of())[1].response.tool_calls
    assert isinstance(call["function"].get("name", ""), str)
    assert isinstance(call["function"].get("arguments", ""), str)


def test_character_split_between_packets_is_joined(server, config_of, read):
    raw = b"".join(event(value) for value in (delta("Fjörð 🫧"), STOP, DONE))
    server.respond_with(STREAM_HEAD + b"".join(chunk(raw[i : i + 3]) for i in range(0, len(raw), 3)) + b"0\r\n\r\n")
    assert read(config_of())[1].response.text == "Fjörð 🫧"


def test_prompt_flow_ends_with_the_connection(server, config_of, read):
    def act(connection, request) -> bool:
        assert request.headers["accept"] == "text/event-stream, application/json"
        connection.sendall(CLOSE_HEAD + event({"answer": "Hel"}) + event({"answer": "lo"}))
        return False

    server.respond_with(act)
    assert read(config_of("/score", formatter="promptflow"))[1].response.text == "Hello"


TGI_LAST = {"token": {"text": "!", "special": False}, "generated_text": "Hi!", "details": None}


def test_tgi_ends_with_its_whole_text(server, config_of, read):
    server.respond_with(streamed({"token": {"text": "Hi", "special": False}, "generated_text": None}, TGI_LAST))
    _, pieces = read(config_of("/generate", formatter="tgi"))
    assert (pieces.response.text, pieces.response.finish_reason) == ("Hi!", "stop")
    assert server.received[0].target == "/generate_stream"


# ---- streams that are over


class Held:
    """A reply that sends `raw` and keeps the line open until the client leaves, or for 20 s."""

    def __init__(self, raw: bytes):
        self.raw = raw
        self.left = threading.Event()

    def __call__(self, connection, request) -> bool:
        connection.sendall(self.raw)
        connection.settimeout(20)
        if connection.recv(1) == b"":
            self.left.set()
        return False


OVER = {
    "openai": ("/v1/chat/completions", "", event(delta("all")) + event(STOP) + event(DONE), "all"),
    "openai, without a reason": ("/v1/chat/completions", "", event(delta("all")) + event(DONE), "all"),
    "tgi": ("/generate", "tgi", event(TGI_LAST), "!"),
}


@pytest.mark.parametrize("name", OVER)
@pytest.mark.parametrize("head", [STREAM_HEAD, CLOSE_HEAD], ids=["chunks", "close"])
def test_stream_ends_at_its_end_marker(server, config_of, read, name, head):
    path, formatter, raw, text = OVER[name]
    held = Held(head + (chunk(raw) if head is STREAM_HEAD else raw))
    server.respond_with(held)
    started = time.monotonic()
    _, pieces = read(config_of(path, formatter=formatter))
    assert time.monotonic() - started < 5, "the line is open for 20 s"
    assert held.left.wait(10)
    assert pieces.response.text == text
    assert pieces.response.latency < 5


def test_finish_reason_does_not_end_a_stream_that_sends_usage_after_it(server, config_of, read):
    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("all")) + event(STOP)))
        time.sleep(0.3)
        usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
        connection.sendall(chunk(event(usage) + event(DONE)) + b"0\r\n\r\n")
        return True

    server.respond_with(act)
    assert read(config_of())[1].response.usage == Usage(1, 2, 3)


def test_end_of_chunks_soon_after_the_end_marker_keeps_the_connection(server, config_of, monkeypatch):
    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("all")) + event(DONE)))
        time.sleep(0.01)
        connection.sendall(b"0\r\n\r\n")
        return True

    server.respond_with(act)
    monkeypatch.setattr(stream_reader, "DRAIN_SECONDS", 5.0)  # a busy machine is slow
    for _ in range(3):
        assert read_sync(config_of())[1].response.text == "all"
    assert server.connections == 1


def test_server_that_never_stops_sending_is_left(server, config_of, read):
    stop = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("all")) + event(DONE)))
        while not stop.wait(0.001):
            connection.sendall(chunk(b": ping\n\n"))
        return False

    server.respond_with(act)
    started = time.monotonic()
    try:
        assert read(config_of())[1].response.text == "all"
    finally:
        stop.set()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("tail", [event({"error": {"message": "too late"}}), event(b"oops"), event(delta("more"))])
def test_events_after_the_end_marker_are_ignored(server, config_of, read, tail):
    server.respond_with(STREAM_HEAD + chunk(event(delta("all")) + event(DONE) + tail) + chunk(tail) + b"0\r\n\r\n")
    chunks, pieces = read(config_of())
    assert [piece.text for piece in chunks] == ["all"]
    assert pieces.response.text == "all"


def test_events_after_the_last_of_tgi_are_ignored(server, config_of, read):
    server.respond_with(streamed(TGI_LAST, {"error": "too late"}))
    assert read(config_of("/generate", formatter="tgi"))[1].response.text == "!"


# ---- streams that fail


def closing(raw: bytes):
    def act(connection, request) -> bool:
        connection.sendall(raw)
        return False

    return act


CUT_OFF = [
    ("the connection ends", CLOSE_HEAD + event(delta("Once ")) + event(delta("upon"))),
    ("the chunks break off", STREAM_HEAD + chunk(event(delta("Once "))) + chunk(event(delta("upon")))),
    ("within an event", CLOSE_HEAD + event(delta("Once ")) + event(delta("upon")) + b'data: {"choices": [{"del'),
    ("within the word [DONE]", CLOSE_HEAD + event(delta("Once ")) + event(delta("upon")) + b"data: [DO"),
    ("within a chunk", STREAM_HEAD + chunk(event(delta("Once ")) + event(delta("upon"))) + b"ff\r\ndata: {"),
]


@pytest.mark.parametrize(("how", "raw"), CUT_OFF, ids=[case[0] for case in CUT_OFF])
def test_interrupted_stream_raises_and_keeps_what_arrived(server, config_of, fail, how, raw):
    server.respond_with(closing(raw))
    came, error = fail(config_of(max_retries=3))
    assert type(error) is StreamInterruptedError
    assert came == ["Once ", "upon"]
    assert error.response.text == "Once upon"
    assert error.response.request_id == ("r-77" if raw.startswith(STREAM_HEAD) else "")
    assert "What had arrived is kept" in error.remedy
    assert len(server.received) == 1
    assert "\n" not in str(error)


def test_stream_that_ends_cleanly_without_a_marker_is_an_answer(server, config_of, read):
    server.respond_with(STREAM_HEAD + chunk(event(delta("Once ")) + event(delta("upon"))) + b"0\r\n\r\n")
    response = read(config_of())[1].response
    assert (response.text, response.finish_reason) == ("Once upon", None)
    assert response.notices == ("The stream ended without saying that the answer is complete.",)


def test_clean_end_within_an_event_is_an_interruption(server, config_of, fail):
    server.respond_with(STREAM_HEAD + chunk(event(delta("Once ")) + b'data: {"choices": [{"del') + b"0\r\n\r\n")
    came, error = fail(config_of())
    assert (type(error), came) == (StreamInterruptedError, ["Once "])


@pytest.mark.parametrize("values", [(DONE,), (delta("", role="assistant"), DONE), (delta("", role="assistant"), STOP)])
def test_stream_with_nothing_in_it_is_a_failure(server, config_of, fail, values):
    server.respond_with(streamed(*values))
    came, error = fail(config_of())
    assert type(error) is ModelError
    assert not any(came)


@pytest.mark.parametrize("tail", [event({"error": {"message": "too late"}}), event(b"oops")])
def test_failure_after_the_finish_reason_is_ignored(server, config_of, read, tail):
    server.respond_with(STREAM_HEAD + chunk(event(delta("all")) + event(STOP) + tail + event(DONE)) + b"0\r\n\r\n")
    assert read(config_of())[1].response.text == "all"


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/plain", ""])
def test_first_bytes_tell_events_from_json(server, config_of, read, content_type):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    head += f"Content-Type: {content_type}\r\n\r\n".encode() if content_type else b"\r\n"
    events = event(delta("A")) + event(STOP) + event(DONE)
    whole_body = b'{"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}'
    for body in (events, whole_body):
        server.respond_with(head + b"".join(chunk(body[i : i + 1]) for i in range(len(body))) + b"0\r\n\r\n")
        assert read(config_of())[1].response.text == "A"


def test_interrupted_tgi_stream_raises(server, config_of, fail):
    server.respond_with(
        closing(CLOSE_HEAD + event({"token": {"text": "Once", "special": False}, "generated_text": None}))
    )
    came, error = fail(config_of("/generate", formatter="tgi"))
    assert (type(error), came, error.response.text) == (StreamInterruptedError, ["Once"], "Once")


def test_complete_response_ignores_how_the_connection_ends(server, config_of, read):
    for tail in (b"", b"data: [DO", chunk(b"x")[:2]):
        server.respond_with(closing(STREAM_HEAD + chunk(event(delta("all")) + event(STOP)) + tail))
        assert read(config_of())[1].response.text == "all"
    server.respond_with(closing(STREAM_HEAD + chunk(event(delta("all")) + event(DONE))))
    assert read(config_of())[1].response.text == "all"


@pytest.mark.parametrize("raw", [CLOSE_HEAD, CLOSE_HEAD + b": ping\n\n"])
def test_empty_stream_raises(server, config_of, fail, raw):
    server.respond_with(closing(raw))
    for path, formatter in (("/v1/chat/completions", ""), ("/score", "promptflow")):
        came, error = fail(config_of(path, formatter=formatter))
        assert (type(error), came) == (StreamInterruptedError, [])


def test_stalled_stream_is_a_timeout_and_keeps_what_arrived(server, config_of, fail):
    let_go = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("Once "))))
        let_go.wait(20)
        return False

    server.respond_with(act)
    try:
        came, error = fail(config_of(timeout=1, max_retries=3))
    finally:
        let_go.set()
    assert type(error) is APITimeoutError
    assert (came, error.response.text) == (["Once "], "Once ")
    assert len(server.received) == 1


FAILURES = [
    ("an error within", {"error": {"message": "CUDA out of memory", "code": 500}}, ModelError, "CUDA out of memory"),
    ("an error of old vLLM", {"object": "error", "message": "too long"}, ModelError, "too long"),
    (
        "the content filter",
        {"choices": [{"delta": {"content": ""}, "finish_reason": "content_filter"}]},
        ContentFilterError,
        "content filter",
    ),
    ("no JSON", b"oops", ResponseFormatError, "not JSON: 'oops'"),
]


@pytest.mark.parametrize(("what", "value", "kind", "said"), FAILURES, ids=[failure[0] for failure in FAILURES])
def test_failure_within_a_stream_keeps_what_arrived(server, config_of, fail, what, value, kind, said):  # noqa: PLR0917 - a column each
    server.respond_with(streamed(delta("Once "), value, DONE))
    came, error = fail(config_of(max_retries=3))
    assert type(error) is kind
    assert said in str(error)
    assert (came, error.response.text) == (["Once "], "Once ")
    assert "config 'prod', deployment 'blue', request id r-77" in str(error)
    assert len(server.received) == 1


def test_error_event_within_a_stream(server, config_of, fail):
    server.respond_with(
        STREAM_HEAD
        + chunk(event(delta("Once ")) + b'event: error\r\ndata: {"detail": "downstream"}\r\n\r\ndata: [DONE]\r\n\r\n')
        + b"0\r\n\r\n"
    )
    came, error = fail(config_of())
    assert (type(error), came) == (ModelError, ["Once "])
    assert "downstream" in str(error)


def test_error_before_the_stream_is_as_in_invoke(server, config_of, fail):
    server.respond_with(reply({"error": {"message": "too long", "code": 400}}, 400, x_request_id="r-5"))
    came, error = fail(config_of())
    assert (type(error), came) == (BadRequestError, [])
    assert "request id r-5" in str(error)


def test_temporary_failure_before_the_first_chunk_is_retried(server, config_of, read):
    server.respond_with(reply("", 503, retry_after_ms="1"), whole("fine"))
    assert read(config_of(max_retries=1))[1].response.text == "fine"


def test_temporary_failure_is_raised_after_the_last_retry(server, config_of, fail):
    server.respond_with(reply("", 503, retry_after_ms="1"))
    _, error = fail(config_of(max_retries=1))
    assert type(error) is ServiceUnavailableError
    assert len(server.received) == 2


def test_filtered_whole_response_keeps_the_text_before_it(server, config_of, fail):
    server.respond_with(reply({"choices": [{"message": {"content": "Once"}, "finish_reason": "content_filter"}]}))
    _, error = fail(config_of())
    assert (type(error), error.response.text) == (ContentFilterError, "Once")


def test_filtered_stream_keeps_the_verdicts(server, config_of, read):
    verdicts = {"violence": {"filtered": True, "severity": "medium"}, "hate": {"filtered": False, "severity": "safe"}}
    server.respond_with(
        streamed(delta("Once"), delta("", finish_reason="content_filter", content_filter_results=verdicts), b"[DONE]")
    )
    with pytest.raises(ContentFilterError, match=r"stopped the response for violence \(medium\)") as caught:
        read(config_of())
    assert [(each.category, each.filtered) for each in caught.value.filters] == [("violence", True), ("hate", False)]
    assert caught.value.response.text == "Once"


def test_stream_errors_hide_the_key(server, config_of, fail):
    server.respond_with(streamed(delta("x"), {"error": {"message": f"bad key {KEY}"}}))
    _, error = fail(config_of())
    assert KEY not in f"{error}{error!r}{vars(error)}"


# ---- leaving


def test_leaving_early_closes_the_connection(server, config_of):
    gone = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("Once "))))
        connection.settimeout(20)
        if connection.recv(1) == b"":
            gone.set()
        return False

    server.respond_with(act)
    with stream(config_of(), "Hi") as pieces:
        assert next(iter(pieces)).text == "Once "
    assert gone.wait(20)
    response = pieces.response
    assert response.text == "Once "
    assert pieces.response.latency == response.latency, "the clock stands still"


async def test_leaving_early_closes_the_connection_on_a_loop(server, config_of):
    gone = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("Once "))))
        connection.settimeout(20)
        if connection.recv(1) == b"":
            gone.set()
        return False

    server.respond_with(act)
    async with astream(config_of(), "Hi") as pieces:
        async for piece in pieces:
            assert piece.text == "Once "
            break
    assert await asyncio.to_thread(gone.wait, 20)
    assert pieces.response.text == "Once "


def test_unread_stream_sends_nothing(server, config_of):
    pieces = stream(config_of(), "Hi")
    assert pieces.response == Response("", config="prod", latency=pieces.response.latency) or not pieces.response.text
    pieces.close()
    assert list(pieces) == []
    assert server.received == []


def test_kernel_interrupt_while_waiting_keeps_the_text(server, config_of):
    """SIGINT reaches the main thread, as Jupyter's stop button sends it, during the wait for a token."""
    let_go = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("Once "))) + chunk(event(delta("upon"))))
        read_two.wait(20)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        let_go.wait(20)
        return False

    server.respond_with(act)
    read_two = threading.Event()
    came = []

    def read() -> None:
        for piece in stream(config_of(), "Hi"):
            came.append(piece.text)
            if len(came) == 2:
                read_two.set()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted) as caught:
            read()
    finally:
        signal.signal(signal.SIGINT, before)
        let_go.set()
    assert came == ["Once ", "upon"]
    assert caught.value.response.text == "Once upon"
    assert caught.value.response.finish_reason == "interrupted"
    assert "9 characters had arrived and are kept" in str(caught.value)


def test_interrupt_between_chunks_keeps_the_text(server, config_of):
    server.respond_with(whole("Once ", "upon"))
    pieces = stream(config_of(), "Hi")

    def read() -> None:
        with pieces:
            for _ in pieces:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    assert pieces.response.text == "Once "


async def test_cancelled_stream_keeps_what_arrived(server, config_of):
    let_go = threading.Event()

    def act(connection, request) -> bool:
        connection.sendall(STREAM_HEAD + chunk(event(delta("Once "))))
        let_go.wait(20)
        return False

    server.respond_with(act)
    pieces = astream(config_of(), "Hi")
    first = asyncio.Event()

    async def read() -> None:
        async for _ in pieces:
            first.set()

    task = asyncio.create_task(read())
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    let_go.set()
    assert pieces.response.text == "Once "


def test_unusable_config_sends_nothing(config_of):
    with pytest.raises(AzmlError, match="No formatter named"):
        stream(config_of(formatter="nonsense"), "Hi")

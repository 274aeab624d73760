"""Recording and replaying: what is recorded, and that replayed calls behave like the recorded ones."""

from __future__ import annotations

import asyncio
import threading

import pytest

from azml_magics.core.client import ainvoke, astream, invoke, stream
from azml_magics.core.errors import AuthenticationError, DocumentError, StreamInterruptedError
from azml_magics.core.http import recording

from ..server import STREAM_HEAD, chunk, delta, event, reply, streamed

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
CONFIG = {"name": "prod", "formatter": "openai-chat"}


class Recorder:
    """Stores its calls, or replays `responses` in turn."""

    def __init__(self, *responses):
        self.replays = bool(responses)
        self.responses = list(responses)
        self.calls = []

    def replay(self, request):
        self.calls.append(request)
        if not self.responses:
            raise DocumentError("The cassette holds no such exchange")
        return self.responses.pop(0)

    def record(self, request, response):
        self.calls.append((request, response))


@pytest.fixture
def use():
    """Puts a recorder or player into use until the test ends."""

    def use_it(recorder):
        recording.use(recorder)
        return recorder

    yield use_it
    recording.use(None)


@pytest.fixture(params=["sync", "async"])
def send(request):
    """Functions that return a whole response and the text of a stream, sync and async."""

    def whole(config):
        return invoke(config, "Hi").text if request.param == "sync" else asyncio.run(ainvoke(config, "Hi")).text

    async def read(config):
        async with astream(config, "Hi") as pieces:
            return "".join([piece.text async for piece in pieces])

    def piecewise(config):
        if request.param == "async":
            return asyncio.run(read(config))
        with stream(config, "Hi") as pieces:
            return "".join(piece.text for piece in pieces)

    return whole, piecewise


def test_use_sets_the_current_recorder(use):
    assert recording.current() is None
    assert not recording.is_replaying()
    recorder = use(Recorder())
    assert recording.current() is recorder
    assert not recording.is_replaying()
    use(Recorder(recording.RecordedResponse(200, {}, [])))
    assert recording.is_replaying()


def test_every_exchange_is_recorded_including_errors(server, config_of, use, send):
    whole, piecewise = send
    recorder = use(Recorder())
    server.respond_with(
        reply({"message": "no"}, 401),
        reply({"choices": [{"message": {"content": "one"}}]}),
        streamed(delta("two"), STOP, b"[DONE]"),
    )
    with pytest.raises(AuthenticationError):
        whole(config_of(**CONFIG))
    assert whole(config_of(**CONFIG)) == "one"
    assert piecewise(config_of(**CONFIG)) == "two"
    responses = [response for _, response in recorder.calls]
    assert [response.status for response in responses] == [401, 200, 200]
    assert responses[0].body == b'{"message": "no"}'
    assert responses[2].body.startswith(event(delta("two")))
    assert responses[2].headers["content-type"] == "text/event-stream"
    assert all(seconds >= 0 for seconds, _ in responses[2].pieces)


def test_stream_left_early_is_recorded_as_incomplete(server, config_of, use):
    recorder = use(Recorder())
    server.respond_with(streamed(delta("one"), delta("two"), STOP, b"[DONE]"))
    with stream(config_of(**CONFIG), "Hi") as pieces:
        assert next(iter(pieces)).text == "one"
    ((_, response),) = recorder.calls
    assert response.body.startswith(event(delta("one")))
    assert not response.is_complete


def test_streams_that_end_or_break_are_recorded_as_complete(server, config_of, use, send):
    _, piecewise = send
    recorder = use(Recorder())
    torn = STREAM_HEAD + chunk(event(delta("torn")))
    server.respond_with(streamed(delta("one"), STOP, b"[DONE]"), lambda connection, request: connection.sendall(torn))
    assert piecewise(config_of(**CONFIG)) == "one"
    with pytest.raises(StreamInterruptedError):
        piecewise(config_of(**CONFIG))
    assert [response.is_complete for _, response in recorder.calls] == [True, True]
    assert recorder.calls[1][1].body == event(delta("torn"))


def test_cancelled_stream_is_recorded_as_incomplete(server, config_of, use):
    recorder, let_go = use(Recorder()), threading.Event()

    def act(connection, request):
        connection.sendall(STREAM_HEAD + chunk(event(delta("one"))))
        return let_go.wait(20) and False

    async def read():
        async with astream(config_of(**CONFIG), "Hi") as pieces:
            async for _ in pieces:
                asyncio.current_task().cancel()

    server.respond_with(act)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(read())
    let_go.set()
    ((_, response),) = recorder.calls
    assert (response.body, response.is_complete) == (event(delta("one")), False)


def test_sequence_follows_the_order_of_requests(server, config_of, use, send):
    whole, piecewise = send
    recorder = use(Recorder())
    server.respond_with(reply({"choices": [{"message": {"content": "one"}}]}), streamed(delta("two"), STOP, b"[DONE]"))
    assert (whole(config_of(**CONFIG)), piecewise(config_of(**CONFIG))) == ("one", "two")
    first, second = (response.sequence for _, response in recorder.calls)
    assert first < second


def test_retry_delay_is_zero_while_replaying():
    assert recording.retry_delay(3.5, None) == 3.5
    assert recording.retry_delay(3.5, Recorder()) == 3.5
    assert recording.retry_delay(3.5, Recorder(recording.RecordedResponse(200, {}, []))) == 0.0


def test_replay_needs_no_network_and_no_key(config_of, use, send):
    whole, piecewise = send
    events = b"".join(event(value) for value in (delta("two"), STOP, b"[DONE]"))
    player = use(
        Recorder(
            recording.RecordedResponse(200, {}, [(0.0, b'{"choices": [{"message": {"content": "one"}}]}')]),
            recording.RecordedResponse(
                200, {"content-type": "text/event-stream"}, [(0.0, events[:9]), (0.0, events[9:])]
            ),
            recording.RecordedResponse(401, {}, [(0.0, b'{"message": "no"}')]),
        )
    )
    config = config_of(**CONFIG, key="env:NO_SUCH_KEY")
    assert whole(config) == "one"
    assert piecewise(config) == "two"
    with pytest.raises(AuthenticationError, match="config 'prod'"):
        piecewise(config)
    assert len(player.calls) == 3


def test_errors_of_a_player_are_raised(config_of, use, send):
    player = use(Recorder(recording.RecordedResponse(200, {}, [])))
    player.responses.clear()
    for how in send:
        with pytest.raises(DocumentError, match="holds no such exchange"):
            how(config_of(**CONFIG))

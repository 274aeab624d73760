"""The seam for a recorder: what it is asked, what it is told, and that a call cannot tell the difference."""

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
    """Keeps what it is told, or plays `takes` in turn."""

    def __init__(self, *takes):
        self.replays = bool(takes)
        self.takes = list(takes)
        self.told = []

    def play(self, request):
        self.told.append(request)
        if not self.takes:
            raise DocumentError("The cassette holds no such exchange")
        return self.takes.pop(0)

    def keep(self, request, take):
        self.told.append((request, take))


@pytest.fixture
def inserted():
    """Inserts a tape; takes it out after the test."""

    def insert(a_tape):
        recording.insert(a_tape)
        return a_tape

    yield insert
    recording.insert(None)


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """The whole answer, and the text of a stream: both ways."""

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


def test_nothing_is_in_unless_somebody_inserts_it(inserted):
    assert recording.inserted() is None
    assert not recording.is_replaying()
    recorder = inserted(Recorder())
    assert recording.inserted() is recorder
    assert not recording.is_replaying()
    inserted(Recorder(recording.Take(200, {}, [])))
    assert recording.is_replaying()


def test_a_recorder_is_told_of_every_exchange_also_of_refusals(server, config_of, inserted, ask):
    whole, piecewise = ask
    recorder = inserted(Recorder())
    server.answers(
        reply({"message": "no"}, 401), reply({"choices": [{"text": "one"}]}), streamed(delta("two"), STOP, b"[DONE]")
    )
    with pytest.raises(AuthenticationError):
        whole(config_of(**CONFIG))
    assert whole(config_of(**CONFIG)) == "one"
    assert piecewise(config_of(**CONFIG)) == "two"
    takes = [take for _, take in recorder.told]
    assert [take.status for take in takes] == [401, 200, 200]
    assert takes[0].body == b'{"message": "no"}'
    assert takes[2].body.startswith(event(delta("two")))
    assert takes[2].headers["content-type"] == "text/event-stream"
    assert all(seconds >= 0 for seconds, _ in takes[2].pieces)


def test_a_stream_that_is_left_early_is_kept_as_far_as_it_was_read(server, config_of, inserted):
    recorder = inserted(Recorder())
    server.answers(streamed(delta("one"), delta("two"), STOP, b"[DONE]"))
    with stream(config_of(**CONFIG), "Hi") as pieces:
        assert next(iter(pieces)).text == "one"
    ((_, take),) = recorder.told
    assert take.body.startswith(event(delta("one")))
    assert not take.is_whole


def test_a_stream_that_is_read_to_its_end_is_whole_and_so_is_one_that_broke_off(server, config_of, inserted, ask):
    _, piecewise = ask
    recorder = inserted(Recorder())
    torn = STREAM_HEAD + chunk(event(delta("torn")))
    server.answers(streamed(delta("one"), STOP, b"[DONE]"), lambda connection, request: connection.sendall(torn))
    assert piecewise(config_of(**CONFIG)) == "one"
    with pytest.raises(StreamInterruptedError):
        piecewise(config_of(**CONFIG))
    assert [take.is_whole for _, take in recorder.told] == [True, True]
    assert recorder.told[1][1].body == event(delta("torn"))


def test_a_stream_that_is_cancelled_is_kept_as_far_as_it_had_come(server, config_of, inserted):
    recorder, let_go = inserted(Recorder()), threading.Event()

    def act(connection, request):
        connection.sendall(STREAM_HEAD + chunk(event(delta("one"))))
        return let_go.wait(20) and False

    async def read():
        async with astream(config_of(**CONFIG), "Hi") as pieces:
            async for _ in pieces:
                asyncio.current_task().cancel()

    server.answers(act)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(read())
    let_go.set()
    ((_, take),) = recorder.told
    assert (take.body, take.is_whole) == (event(delta("one")), False)


def test_turns_tell_the_order_in_which_requests_began(server, config_of, inserted, ask):
    whole, piecewise = ask
    recorder = inserted(Recorder())
    server.answers(reply({"choices": [{"text": "one"}]}), streamed(delta("two"), STOP, b"[DONE]"))
    assert (whole(config_of(**CONFIG)), piecewise(config_of(**CONFIG))) == ("one", "two")
    first, second = (take.turn for _, take in recorder.told)
    assert first < second


def test_a_retry_waits_unless_it_is_replayed(inserted):
    assert recording.pause(3.5) == 3.5
    inserted(Recorder(recording.Take(200, {}, [])))
    assert recording.pause(3.5) == 0.0


def test_a_player_answers_without_a_network_and_without_a_key(config_of, inserted, ask):
    whole, piecewise = ask
    events = b"".join(event(value) for value in (delta("two"), STOP, b"[DONE]"))
    player = inserted(
        Recorder(
            recording.Take(200, {}, [(0.0, b'{"choices": [{"text": "one"}]}')]),
            recording.Take(200, {"content-type": "text/event-stream"}, [(0.0, events[:9]), (0.0, events[9:])]),
            recording.Take(401, {}, [(0.0, b'{"message": "no"}')]),
        )
    )
    config = config_of(**CONFIG, key="env:NO_SUCH_KEY")
    assert whole(config) == "one"
    assert piecewise(config) == "two"
    with pytest.raises(AuthenticationError, match="config 'prod'"):
        piecewise(config)
    assert len(player.told) == 3


def test_what_a_player_does_not_know_is_its_own_error(config_of, inserted, ask):
    player = inserted(Recorder(recording.Take(200, {}, [])))
    player.takes.clear()
    for how in ask:
        with pytest.raises(DocumentError, match="holds no such exchange"):
            how(config_of(**CONFIG))

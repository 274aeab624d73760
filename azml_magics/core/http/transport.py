"""The one place that talks HTTP: a sync and an async driver for policy.py's plans, and lanes.

A lane is one connection. A pool looks at every connection for every queued request, which is quadratic in their
number; a stack of lanes is not, and its most recently used connection is its warmest.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from ..endpoints import Origin
from . import connection, recording
from .connection import Lane, async_pieces_of, broken, headers_of, open_async_lane, open_lane, pieces_of, to_send
from .retry import Answer, Broken, Plan, Request, Sleep

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from .rate_limiter import Permit

__all__ = ["asend", "broken", "close", "send", "trust"]

_MOST_IDLE_LANES = 256
_OK = 200


def trust(certificates: ssl.SSLContext | None) -> None:
    """Use `certificates` for every new connection of this process; None goes back to the system's."""
    close()
    connection.set_trusted(certificates)


class _Lanes:
    """A stack of idle lanes for each origin."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Lane]] = {}
        self._lock = threading.Lock()

    def take(self, url: str) -> Lane | None:
        """The lane that was used last, or None where all are busy."""
        with self._lock:
            idle = self._idle.get(Origin.of(url))
            return idle.pop() if idle else None

    def give_back(self, url: str, lane: Lane) -> bool:
        """Whether the lane was kept; a caller closes one that was not."""
        if not lane.connection.is_idle():  # the server keeps it open no longer, or the reply was not whole
            return False
        lane.served = True
        with self._lock:
            idle = self._idle.setdefault(Origin.of(url), [])
            if len(idle) < _MOST_IDLE_LANES:
                idle.append(lane)
                return True
        return False

    def empty(self) -> list[Lane]:
        """All idle lanes, no longer in the stack."""
        with self._lock:
            lanes = [lane for idle in self._idle.values() for lane in idle]
            self._idle.clear()
        return lanes


_lanes = _Lanes()
if hasattr(os, "register_at_fork"):  # a child must not write on its parent's sockets
    os.register_at_fork(after_in_child=lambda: globals().update(_lanes=_Lanes()))


def close() -> None:
    """Close the idle connections of the sync lanes; the next call opens new ones."""
    for lane in _lanes.empty():
        lane.connection.close()


# ---- sync ----------------------------------------------------------------------------------------------------


def send(plan: Plan, wait: Callable[[float], Any] = time.sleep, permit: Permit | None = None) -> Answer:
    """Do what `plan` asks until it returns its answer or raises. `wait` sleeps between attempts."""
    step: Any = next(plan)
    while True:
        outcome = None
        if isinstance(step, Sleep):
            wait(recording.pause(step.seconds))
        elif permit is None:
            outcome = _exchange(step.request, fresh=step.fresh)
        else:
            permit.acquire()
            try:
                outcome = _exchange(step.request, fresh=step.fresh)
            finally:
                permit.release(outcome)
        try:
            step = plan.send(outcome)
        except StopIteration as done:
            answer: Answer = done.value
            return answer


def _exchange(request: Request, *, fresh: bool) -> Answer | Broken:
    """The reply to `request`, from the tape that is in or from the network; a recording tape hears of the latter."""
    inserted = recording.inserted()
    if inserted is not None and inserted.replays:
        return recording.played(inserted.play(request), request)
    turn = recording.next_turn()
    outcome = _send_once(request, fresh=fresh)
    if inserted is None or not isinstance(outcome, Answer):
        return outcome
    return recording.kept(inserted, request, outcome, turn)


def _lane_for(url: str, *, fresh: bool) -> Lane:
    while not fresh and (lane := _lanes.take(url)):
        if not lane.connection.has_expired():
            return lane
        lane.connection.close()
    return open_lane(url)


def _send_once(request: Request, *, fresh: bool = False) -> Answer | Broken:
    lane = reply = None
    try:
        lane = _lane_for(request.url, fresh=fresh)
        reply = lane.connection.handle_request(to_send(request))
        headers = headers_of(reply)
        if request.stream and reply.status == _OK:
            return Answer(reply.status, headers, stream=_pieces(reply, headers, request.url, lane))
        answer = Answer(reply.status, headers, b"".join(pieces_of(reply, headers)))
        reply.close()
    except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in `attempts`
        if lane is None:
            return broken(error)
        lane.connection.close()
        return broken(error, reused=lane.served, begun=reply is not None)
    except BaseException:  # a kernel interrupt: the connection is in the middle of something
        if lane is not None:
            lane.connection.close()
        raise
    if not _lanes.give_back(request.url, lane):
        lane.connection.close()
    return answer


def _pieces(reply: Any, headers: Mapping[str, str], url: str, lane: Lane) -> Generator[bytes, None, None]:
    """The body as it arrives; the lane goes back when it is whole and is closed when it is left early."""
    whole = False
    try:
        yield from pieces_of(reply, headers)
        whole = True
    finally:
        reply.close()
        if not (whole and _lanes.give_back(url, lane)):
            lane.connection.close()


# ---- async ---------------------------------------------------------------------------------------------------

_lanes_of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[_Lanes, Any]] = weakref.WeakKeyDictionary()


async def _loop_lanes() -> _Lanes:
    """The lanes of the running loop. They are closed with it: the loop's shutdown of asynchronous generators
    (asyncio.run, pytest-asyncio, IPython) ends the keeper, which closes them.
    """
    loop = asyncio.get_running_loop()
    if loop not in _lanes_of_loop:
        lanes = _Lanes()
        keeper = _kept(lanes)
        _lanes_of_loop[loop] = (lanes, keeper)
        await anext(keeper)
    return _lanes_of_loop[loop][0]


async def _kept(lanes: _Lanes) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        for lane in lanes.empty():
            await lane.connection.aclose()


async def asend(plan: Plan, permit: Permit | None = None) -> Answer:
    """What `send` does, on the running event loop."""
    lanes = await _loop_lanes()
    step: Any = next(plan)
    while True:
        outcome = None
        if isinstance(step, Sleep):
            await asyncio.sleep(recording.pause(step.seconds))
        elif permit is None:
            outcome = await _aexchange(step.request, lanes, fresh=step.fresh)
        else:
            await permit.aacquire()
            try:
                outcome = await _aexchange(step.request, lanes, fresh=step.fresh)
            finally:
                permit.release(outcome)
        try:
            step = plan.send(outcome)
        except StopIteration as done:
            answer: Answer = done.value
            return answer


async def _aexchange(request: Request, lanes: _Lanes, *, fresh: bool) -> Answer | Broken:
    inserted = recording.inserted()
    if inserted is not None and inserted.replays:
        return recording.aplayed(inserted.play(request), request)
    turn = recording.next_turn()
    outcome = await _asend_once(request, lanes, fresh=fresh)
    if inserted is None or not isinstance(outcome, Answer):
        return outcome
    return recording.akept(inserted, request, outcome, turn)


async def _async_lane_for(url: str, lanes: _Lanes, *, fresh: bool) -> Lane:
    while not fresh and (lane := lanes.take(url)):
        if not lane.connection.has_expired():
            return lane
        await lane.connection.aclose()
    return open_async_lane(url)


async def _asend_once(request: Request, lanes: _Lanes, *, fresh: bool = False) -> Answer | Broken:
    lane = reply = None
    try:
        lane = await _async_lane_for(request.url, lanes, fresh=fresh)
        reply = await lane.connection.handle_async_request(to_send(request))
        headers = headers_of(reply)
        if request.stream and reply.status == _OK:
            return Answer(reply.status, headers, stream=_apieces(reply, headers, request.url, lane, lanes))
        answer = Answer(reply.status, headers, b"".join([piece async for piece in async_pieces_of(reply, headers)]))
        await reply.aclose()
    except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in `attempts`
        if lane is None:
            return broken(error)
        await lane.connection.aclose()
        return broken(error, reused=lane.served, begun=reply is not None)
    except BaseException:  # cancelled: the connection is in the middle of something
        if lane is not None:
            await asyncio.shield(lane.connection.aclose())
        raise
    if not lanes.give_back(request.url, lane):
        await lane.connection.aclose()
    return answer


async def _apieces(
    reply: Any, headers: Mapping[str, str], url: str, lane: Lane, lanes: _Lanes
) -> AsyncGenerator[bytes, None]:
    whole = False
    try:
        async for piece in async_pieces_of(reply, headers):
            yield piece
        whole = True
    finally:
        await reply.aclose()
        if not (whole and lanes.give_back(url, lane)):
            await lane.connection.aclose()

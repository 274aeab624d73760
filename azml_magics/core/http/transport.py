"""Sends what a retry flow says, sync and async: with a permit, and over the network or a recording."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from . import log, recording
from .exchange import HTTPResponse
from .network import AsyncNetworkTransport, NetworkTransport
from .recording import RecordingTransport, ReplayTransport
from .retry import Wait, advance

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from .exchange import Outcome
    from .permit import Permit
    from .retry import RetryFlow, SendRequest


class _Networks:
    """The network transports of this process: one for all threads, and one for each event loop."""

    def __init__(self) -> None:
        self._loops: dict[asyncio.AbstractEventLoop, tuple[AsyncNetworkTransport, Any]] = {}
        self.threads = NetworkTransport()

    def reset(self) -> None:
        """Start over without connections; those that are kept are not closed."""
        self._loops = {}
        self.threads = NetworkTransport()

    async def running_loop(self) -> AsyncNetworkTransport:
        """The transport of the running loop, which closes with it.

        The loop's shutdown of asynchronous generators (asyncio.run, pytest-asyncio, IPython) ends the generator that
        closes the connections. Loops that were closed without it are forgotten here.
        """
        loop = asyncio.get_running_loop()
        known = self._loops.get(loop)
        if known is None:
            for closed in [other for other in self._loops if other.is_closed()]:
                self._loops.pop(closed, None)
            closer = self._close_at_shutdown(loop)
            known = self._loops[loop] = (AsyncNetworkTransport(), closer)
            await anext(closer)
        return known[0]

    async def _close_at_shutdown(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            network, _ = self._loops.pop(loop)
            await network.aclose()


_networks = _Networks()
if hasattr(os, "register_at_fork"):  # a child must not write to its parent's sockets
    os.register_at_fork(after_in_child=_networks.reset)


def close() -> None:
    """Close the kept connections of all threads; the next call opens new ones."""
    _networks.threads.close()


# ---- sync ---------------------------------------------------------------------------------------------------------


def send(flow: RetryFlow, wait: Callable[[float], Any] = time.sleep, permit: Permit | None = None) -> HTTPResponse:
    """Follow a retry flow to its end.

    Args:
        flow: What to send, and when.
        wait: Sleeps between attempts.
        permit: Acquired for every request, if given.

    Returns:
        The response, whose status is 200.

    Raises:
        AzmlError: The error of the flow.
    """
    step = advance(flow)
    while not isinstance(step, HTTPResponse):
        outcome = None
        if isinstance(step, Wait):
            wait(recording.retry_delay(step.seconds))
        elif permit is None:
            outcome = _exchange(step)
        else:
            permit.acquire()
            try:
                outcome = _exchange(step)
            finally:
                permit.release(outcome)
        step = advance(flow, outcome)
    return step


def _exchange(step: SendRequest) -> Outcome:
    """Send a request over the network, recording or replaying it if that is on."""

    def network() -> Outcome:
        if not log.is_on():
            return _networks.threads.send(step.request, new_connection=step.new_connection)
        started = time.perf_counter()
        outcome = _networks.threads.send(step.request, new_connection=step.new_connection)
        log.log_attempt(step.request, outcome, started)
        return outcome

    recorder = recording.current()
    if recorder is None:
        return network()
    if recorder.replays:
        return ReplayTransport(recorder).send(step.request)
    return RecordingTransport(recorder).send(step.request, network)


# ---- async --------------------------------------------------------------------------------------------------------


async def asend(flow: RetryFlow, permit: Permit | None = None) -> HTTPResponse:
    """What `send` does, on the running event loop."""
    loop = await _networks.running_loop()
    step = advance(flow)
    while not isinstance(step, HTTPResponse):
        outcome = None
        if isinstance(step, Wait):
            await asyncio.sleep(recording.retry_delay(step.seconds))
        elif permit is None:
            outcome = await _aexchange(step, loop)
        else:
            await permit.aacquire()
            try:
                outcome = await _aexchange(step, loop)
            finally:
                permit.release(outcome)
        step = advance(flow, outcome)
    return step


async def _aexchange(step: SendRequest, loop: AsyncNetworkTransport) -> Outcome:
    """What `_exchange` does, on the running event loop."""

    async def network() -> Outcome:
        if not log.is_on():
            return await loop.send(step.request, new_connection=step.new_connection)
        started = time.perf_counter()
        outcome = await loop.send(step.request, new_connection=step.new_connection)
        log.log_attempt(step.request, outcome, started)
        return outcome

    recorder = recording.current()
    if recorder is None:
        return await network()
    if recorder.replays:
        return await ReplayTransport(recorder).asend(step.request)
    return await RecordingTransport(recorder).asend(step.request, network)

"""Sends what a retry flow says, sync and async: with a permit, and over the network or a recording."""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from typing import TYPE_CHECKING, Any

from . import log, recording
from .connection import default_certificates
from .exchange import HTTPResponse
from .network import AsyncNetworkTransport, NetworkTransport
from .recording import RecordingTransport, ReplayTransport
from .retry import Wait, advance

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

    from .exchange import Outcome
    from .rate_limiter import Permit
    from .retry import RetryFlow, SendRequest


class _Networks:
    """The network transports of this process: one for all threads, and one for each event loop."""

    def __init__(self) -> None:
        self._certificates: ssl.SSLContext | None = None
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[AsyncNetworkTransport, Any]]
        self._loops = weakref.WeakKeyDictionary()
        self.reset_threads()

    def trust(self, certificates: ssl.SSLContext | None) -> None:
        """Check new https connections against `certificates`. Loops keep theirs: only they can close them."""
        self._certificates = certificates
        for network, _ in self._loops.values():
            network.certificates = certificates
        self.reset_threads()

    def reset_threads(self) -> None:
        """Start over without connections of threads; those that are kept are not closed."""
        self.threads = NetworkTransport(self._certificates)

    async def running_loop(self) -> AsyncNetworkTransport:
        """The transport of the running loop, which closes with it.

        The loop's shutdown of asynchronous generators (asyncio.run, pytest-asyncio, IPython) ends the generator that
        closes the connections.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            network = AsyncNetworkTransport(self._certificates)
            closer = _close_at_shutdown(network)
            self._loops[loop] = (network, closer)
            await anext(closer)
        return self._loops[loop][0]


async def _close_at_shutdown(network: AsyncNetworkTransport) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await network.aclose()


_networks = _Networks()
if hasattr(os, "register_at_fork"):  # a child must not write to its parent's sockets
    os.register_at_fork(after_in_child=_networks.reset_threads)


def trust(certificates: ssl.SSLContext | None) -> None:
    """Check new https connections of this process against `certificates`; None for the default."""
    close()
    default_certificates.cache_clear()  # SSL_CERT_FILE may have changed
    _networks.trust(certificates)


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

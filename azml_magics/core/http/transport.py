"""Sends what a retry flow says, sync and async: with a permit, and over the network or a recording."""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import TYPE_CHECKING, Any

from . import log, recording
from .attempt_span import trace_attempt
from .exchange import HTTPResponse, Request
from .fork import reset_in_child
from .loops import LoopNetworks
from .network import NetworkTransport
from .recording import RecordingTransport, ReplayTransport
from .retry import RefreshKeys, Wait, advance, last_request
from .run_control import outside_run
from .user_client import AsyncUserClient, UserClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exchange import Outcome
    from .network import AsyncNetworkTransport
    from .permit import Permit
    from .recording import Player, Recorder
    from .retry import RetryFlow, SendRequest, Step

    RecorderSource = Callable[[], Recorder | Player | None]


class Transport:
    """Follows the retry flows of one client.

    Args:
        http_client: A user's client that sends the requests; None for connections of our own.
        recorder: Returns what records or replays the requests; by default what is in use by this process.
    """

    def __init__(self, http_client: Any = None, recorder: RecorderSource = recording.current) -> None:
        self._http_client, self._recorder = http_client, recorder
        self._open()
        reset_in_child(self)

    def _open(self) -> None:
        self._network = NetworkTransport() if self._http_client is None else UserClient(self._http_client)
        self._finalizer = weakref.finalize(self, self._network.close)

    def reset_after_fork(self) -> None:
        """Start over without connections: a child must not write to its parent's sockets."""
        self._finalizer.detach()
        self._inherited = self._network  # its sockets are neither used nor closed
        self._open()

    def send(
        self, flow: RetryFlow, wait: Callable[[float], Any] = time.sleep, permit: Permit | None = None
    ) -> HTTPResponse:
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
        recorder = self._recorder()
        step = advance(flow)
        while not isinstance(step, HTTPResponse):
            try:
                outcome = self._take(step, recorder, wait, permit)
            except Exception:
                raise
            except BaseException as reason:
                if (last := last_request(flow, reason)) is not None:
                    with outside_run():
                        self._exchange(last, recorder)  # whatever comes of it
                raise
            step = advance(flow, outcome)
        return step

    def _take(
        self,
        step: Step,
        recorder: Recorder | Player | None,
        wait: Callable[[float], Any],
        permit: Permit | None,
    ) -> Outcome | None:
        """Do what a step says, and return the outcome of a request."""
        if isinstance(step, Wait):
            wait(recording.retry_delay(step.seconds, recorder))
            return None
        if isinstance(step, RefreshKeys):
            renewed = step.refresh(step.request)
            assert isinstance(renewed, Request)  # only clients for event loops return what is to be awaited
            step.request = renewed
            return None
        if permit is None:
            return self._exchange(step, recorder)
        outcome = None
        permit.acquire()
        try:
            outcome = self._exchange(step, recorder)
        finally:
            permit.release(outcome)
        return outcome

    def _exchange(self, step: SendRequest, recorder: Recorder | Player | None) -> Outcome:
        """Send a request over the network, recording or replaying it if that is on."""
        if recorder is None:
            return self._send(step)
        if recorder.replays:
            return ReplayTransport(recorder).send(step.request)
        return RecordingTransport(recorder).send(step.request, lambda: self._send(step))

    def _send(self, step: SendRequest) -> Outcome:
        started = time.perf_counter()
        with log.masked_logs(step.request), trace_attempt(step.request) as attempt:
            outcome = attempt.record(self._network.send(attempt.request, new_connection=step.new_connection))
        if log.is_on():
            log.log_attempt(step.request, outcome, started)
        return outcome

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones. A user's client stays open."""
        self._network.close()


class AsyncTransport:
    """What Transport is, for event loops: each has connections of its own, which close with it.

    Args:
        http_client: A user's client that sends the requests; None for connections of our own.
        recorder: Returns what records or replays the requests; by default what is in use by this process.
    """

    def __init__(self, http_client: Any = None, recorder: RecorderSource = recording.current) -> None:
        self._user_client = None if http_client is None else AsyncUserClient(http_client)
        self._recorder = recorder
        self._loops = LoopNetworks()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Start over without connections: a child must not write to its parent's sockets."""
        self._inherited = self._loops  # its sockets are neither used nor closed
        self._loops = LoopNetworks()

    async def send(self, flow: RetryFlow, permit: Permit | None = None) -> HTTPResponse:
        """Follow a retry flow to its end, as `Transport.send` does."""
        recorder = self._recorder()
        network = self._user_client or await self._loops.running()
        step = advance(flow)
        while not isinstance(step, HTTPResponse):
            try:
                outcome = await _atake(step, network, recorder, permit)
            except Exception:
                raise
            except BaseException as reason:
                if (last := last_request(flow, reason)) is not None:
                    with outside_run():
                        await _aexchange(last, network, recorder)  # whatever comes of it
                raise
            step = advance(flow, outcome)
        return step

    async def aclose(self) -> None:
        """Close the kept connections of the running loop; the next request opens new ones."""
        await self._loops.aclose()


async def _atake(
    step: Step,
    network: AsyncNetworkTransport,
    recorder: Recorder | Player | None,
    permit: Permit | None,
) -> Outcome | None:
    """Do what a step says, and return the outcome of a request."""
    if isinstance(step, Wait):
        await asyncio.sleep(recording.retry_delay(step.seconds, recorder))
        return None
    if isinstance(step, RefreshKeys):
        renewed = step.refresh(step.request)
        step.request = renewed if isinstance(renewed, Request) else await renewed
        return None
    if permit is None:
        return await _aexchange(step, network, recorder)
    outcome = None
    await permit.aacquire()
    try:
        outcome = await _aexchange(step, network, recorder)
    finally:
        permit.release(outcome)
    return outcome


async def _aexchange(step: SendRequest, network: AsyncNetworkTransport, recorder: Recorder | Player | None) -> Outcome:
    """Send a request over the network, recording or replaying it if that is on."""
    if recorder is None:
        return await _asend(step, network)
    if recorder.replays:
        return await ReplayTransport(recorder).asend(step.request)
    return await RecordingTransport(recorder).asend(step.request, lambda: _asend(step, network))


async def _asend(step: SendRequest, network: AsyncNetworkTransport) -> Outcome:
    started = time.perf_counter()
    with log.masked_logs(step.request), trace_attempt(step.request) as attempt:
        outcome = attempt.record(await network.send(attempt.request, new_connection=step.new_connection))
    if log.is_on():
        log.log_attempt(step.request, outcome, started)
    return outcome

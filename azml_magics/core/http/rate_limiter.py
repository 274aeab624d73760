"""Rate limiters: each endpoint has one, and all runs over many prompts in this process share it, in threads and loops.

Single calls bypass the limiter. Limits learned from responses persist for the process.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from .. import endpoints
from . import recording
from .exchange import SendFailure
from .run_control import current_run
from .window import Window, feedback_from, is_overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..config import LLMConfig
    from ..errors import AzmlError
    from ..response import Usage
    from .exchange import Outcome
    from .run_control import RunControl

_GIVE_UP_LOST = 10.0  # seconds for which an endpoint that has responded before may be unreachable
_GIVE_UP_UNKNOWN = 2.0  # seconds for one that never responded: its URL is probably wrong
_POLL_INTERVAL = 1.0  # seconds after which a waiting request checks whether its run was stopped
_MAX_OVERLOADS = 30  # of one call while others succeed: it may need more than the endpoint ever has
_BYTES_PER_TOKEN = 4  # an estimate for endpoints that count no tokens; used for limits only, never shown

_Waiter: TypeAlias = "concurrent.futures.Future[None]"  # done when there may be room


class RateLimiter:
    """One endpoint's rate limiter: a window behind a lock, and a queue of the requests that wait for room."""

    def __init__(self, window: Window | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.window = window or Window()
        self._clock = clock
        self._lock = threading.Lock()
        self._waiters: deque[_Waiter] = deque()
        self._runs: list[RunControl] = []  # those with limits of their own

    def acquire(self, run: RunControl) -> float:
        """Wait until a request may start, and count it as in flight.

        Returns:
            The time of the start, on the limiter's clock.

        Raises:
            RunCancelled: The run was stopped before.
        """
        while True:
            run.raise_if_stopped()
            wait, now, waiter = self._admit(run)
            if waiter is None:
                if run.on_permit is not None:
                    run.on_permit()
                return now
            with contextlib.suppress(concurrent.futures.TimeoutError):
                waiter.result(min(wait, _POLL_INTERVAL))
            self._discard(waiter)

    async def aacquire(self, run: RunControl) -> float:
        """What `acquire` does, on the running event loop; `on_permit` is not called."""
        while True:
            run.raise_if_stopped()
            wait, now, waiter = self._admit(run)
            if waiter is None:
                return now
            try:
                await asyncio.wait([asyncio.wrap_future(waiter)], timeout=min(wait, _POLL_INTERVAL))
            finally:
                self._discard(waiter)

    def _admit(self, run: RunControl) -> tuple[float, float, _Waiter | None]:
        """Seconds to wait, the time, and None if the request may start now, else what is done once there is room."""
        with self._lock:
            now = self._clock()
            if run.initial_window > self.window.size:
                self.window.raise_to(run.initial_window)
            wait = self.window.admit(now, len(self._waiters), *self._limits())
            if not wait:
                return wait, now, None
            waiter: _Waiter = concurrent.futures.Future()
            self._waiters.append(waiter)
            return wait, now, waiter

    def _limits(self) -> tuple[float | None, float | None]:
        """The strictest rpm and tpm of all runs."""
        rpm = min((run.rpm for run in self._runs if run.rpm), default=None)
        tpm = min((run.tpm for run in self._runs if run.tpm), default=None)
        return rpm, tpm

    def release(self, started: float, outcome: Outcome | None) -> None:
        """Record the outcome of the request that started at `started`; None if it was given up."""
        feedback = feedback_from(outcome)
        with self._lock:
            self.window.release(self._clock(), started, feedback)
            ready = [self._waiters.popleft() for _ in range(min(self.window.free_places, len(self._waiters)))]
        _wake(ready)

    def record_usage(self, tokens: float) -> None:
        """Record the tokens that one response cost."""
        if not (self._runs or self.window.reports_tokens):
            return
        with self._lock:
            self.window.record_usage(self._clock(), tokens, self._limits()[1])

    def has_failed_for(self, seconds: float) -> bool:
        """Whether every request of the last `seconds` failed for lack of room or of a connection."""
        with self._lock:
            since = self.window.overloaded_since
            return since is not None and self._clock() - since >= seconds

    def should_give_up(self, error: AzmlError, give_up_after: float) -> bool:
        """Whether a call that failed with `error` should not be retried, because no request has succeeded for too long.

        Args:
            error: Why the call failed.
            give_up_after: Seconds for which the endpoint may be overloaded. If it cannot be reached, it has ten
                seconds to come back.
        """
        if is_overload(error):
            return self.has_failed_for(give_up_after)
        unreachable = _GIVE_UP_LOST if self.window.has_succeeded else _GIVE_UP_UNKNOWN
        return self.has_failed_for(min(give_up_after, unreachable))

    def wake_all(self) -> None:
        """Make every waiting request check again whether it may start."""
        with self._lock:
            ready, self._waiters = self._waiters, deque()
        _wake(ready)

    def _discard(self, waiter: _Waiter) -> None:
        with self._lock, contextlib.suppress(ValueError):  # no longer in the queue if it was woken
            self._waiters.remove(waiter)

    @contextlib.contextmanager
    def apply_limits(self, run: RunControl) -> Iterator[None]:
        """Apply the run's limits to all requests at this endpoint until the block ends."""
        run.call_on_stop(self.wake_all)
        if run.rpm is None and run.tpm is None:
            yield
            return
        with self._lock:
            self._runs.append(run)
        try:
            yield
        finally:
            with self._lock:
                self._runs.remove(run)


def _wake(waiters: Iterable[_Waiter]) -> None:
    for waiter in waiters:
        waiter.set_result(None)


class Permit:
    """One call's permit: acquired before each of its requests, and released with the request's outcome."""

    def __init__(self, limiter: RateLimiter, run: RunControl) -> None:
        self.limiter = limiter
        self.run = run
        self.started = 0.0
        self._overloads = 0
        self._was_unreachable = False

    def acquire(self) -> None:
        """Wait until the next request may start."""
        self.started = self.limiter.acquire(self.run)

    async def aacquire(self) -> None:
        """What `acquire` does, on the running event loop."""
        self.started = await self.limiter.aacquire(self.run)

    def release(self, outcome: Outcome | None) -> None:
        """Report the outcome of the request; None if it was given up."""
        self._was_unreachable = isinstance(outcome, SendFailure) and outcome.is_unreachable
        self.limiter.release(self.started, outcome)

    def should_retry(self, error: AzmlError) -> bool | None:
        """Whether to retry the call with its next permit; None leaves it to the config's max_retries.

        Runs with `give_up_after` retry overloads and connections that could not be opened.
        """
        if not (self.run.give_up_after and (is_overload(error) or self._was_unreachable)):
            return None
        self._overloads += 1
        return self._overloads < _MAX_OVERLOADS and not self.limiter.should_give_up(error, self.run.give_up_after)

    def record_usage(self, usage: Usage | None, request_bytes: int, text: str) -> None:
        """Record what the response cost: its usage, or an estimate from the lengths of the request and the text."""
        tokens = usage.total_tokens if usage else None
        self.limiter.record_usage(tokens if tokens is not None else (request_bytes + len(text)) / _BYTES_PER_TOKEN)


# ---- the rate limiters of this process ----------------------------------------------------------------------------


class RateLimiters:
    """The rate limiters of all endpoints, made when they are first asked for."""

    def __init__(self) -> None:
        self._by_endpoint: dict[str, RateLimiter] = {}
        self._lock = threading.Lock()

    def get(self, config: LLMConfig) -> RateLimiter:
        """The rate limiter of the config's endpoint, shared by every config of that endpoint."""
        key = _endpoint_key(config.endpoint_url, config.deployment_name or config.model or "")
        with self._lock:
            if key not in self._by_endpoint:
                self._by_endpoint[key] = RateLimiter()
            return self._by_endpoint[key]

    def clear(self) -> None:
        """Forget all limits learned from responses."""
        with self._lock:
            self._by_endpoint.clear()


@lru_cache(maxsize=256)
def _endpoint_key(url: str, deployment: str) -> str:
    """What tells endpoints apart: the URL without its route, and the deployment, which has limits of its own."""
    path = urlsplit(url).path.rstrip("/").removesuffix(endpoints.route_of(url)).rstrip("/")
    return f"{endpoints.Origin.of(url)}{path} {deployment}"


_limiters = RateLimiters()
rate_limiter_for = _limiters.get
reset = _limiters.clear


def permit_for(config: LLMConfig) -> Permit | None:
    """A permit for one call with `config`; None for a single call, and while responses are replayed."""
    run = current_run()
    if run is None or recording.is_replaying():
        return None
    return Permit(rate_limiter_for(config), run)

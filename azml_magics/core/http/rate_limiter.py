"""RateLimiter: lets the requests to one endpoint start as fast as it takes them; a queue of those that wait.

All runs over many prompts that use a Client share its limiters, in threads and event loops. Single calls bypass them,
unless the client was given a limiter. Limits learned from responses last as long as the client.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import math
import threading
import weakref
from collections import deque
from collections.abc import Iterator  # noqa: TC003 - get_type_hints() needs it, as for those below
from typing import NamedTuple

from ..errors import AzmlError  # noqa: TC001 - get_type_hints() needs it
from . import status_errors
from .clock import Clock
from .exchange import HTTPResponse, Outcome
from .feedback import Feedback, feedback_from, is_overload
from .fork import reset_in_child
from .run_control import RunControl  # noqa: TC001 - get_type_hints() needs it
from .waiting import Waiting, say_when
from .window import Window

_GIVE_UP_LOST = 10.0  # seconds for which an endpoint that has responded before may be unreachable
_GIVE_UP_UNKNOWN = 2.0  # seconds for one that never responded: its URL is probably wrong
_POLL_INTERVAL = 1.0  # seconds after which a waiting request checks whether its run was stopped


class _LongWait(NamedTuple):
    """An overload response that asks to wait for longer than a run does."""

    outcome: HTTPResponse
    until: float


class Ticket(concurrent.futures.Future):  # type: ignore[type-arg]  # its result is a float
    """A request's place in the queue. Its result is the time of its start; it is cancelled if its run is stopped.

    Attributes:
        run: The run that the request belongs to.
        number: Its place, counted from the first request that ever waited.
    """

    def __init__(self, run: RunControl, number: int) -> None:
        super().__init__()
        self.run = run
        self.number = number


class RateLimiter:
    """One endpoint's rate limiter: a window of requests in flight, limits per minute, and a queue in order of arrival.

    Pass one to `Client(limiter=...)` to set limits of your own for all of its calls. Without one, a client has a
    limiter for each deployment, which learns the limits from the responses.

    Args:
        rpm: Requests per minute at most.
        tpm: Tokens per minute at most.
        max_concurrency: Requests in flight at most.
        window: The window to start with.
        clock: Tells the time and waits; tests pass one that they move.

    Examples:
        >>> limiter = RateLimiter(rpm=600, max_concurrency=8)
    """

    def __init__(
        self,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        max_concurrency: int | None = None,
        window: Window | None = None,
        clock: Clock | None = None,
    ) -> None:
        for name, limit in (("rpm", rpm), ("tpm", tpm), ("max_concurrency", max_concurrency)):
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} takes a number above 0, not {limit!r}")
        self.window = window or Window(max_size=math.inf if max_concurrency is None else max_concurrency)
        self._clock = clock or Clock()
        self._rpm, self._tpm = rpm, tpm
        self._lock = threading.Lock()
        self._queue: deque[Ticket] = deque()
        self._numbers = 0
        self._runs: list[RunControl] = []  # those with limits of their own
        self._refusals: weakref.WeakKeyDictionary[RunControl, _LongWait] = weakref.WeakKeyDictionary()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Start without requests in flight: those of the parent are not this process's."""
        self._lock = threading.Lock()
        self._queue.clear()
        self._runs.clear()
        self.window.in_flight = 0

    # ---- the queue

    def enter(self, run: RunControl) -> Ticket:
        """Put a request into the queue.

        Returns:
            Its ticket, which is done at once if it may start now.
        """
        run.call_on_stop(self.cancel_stopped)
        with self._lock:
            ticket = Ticket(run, self._numbers)
            self._numbers += 1
            if self.window.pause_left(self._clock.now()) > run.patience and self._start(ticket):
                return ticket  # it does not wait behind those that wait for a long pause to end
            self._queue.append(ticket)
            self._start_ready()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Take a request out of the queue; if it may have started already, its place goes to the next one."""
        with self._lock:
            if ticket in self._queue:
                self._queue.remove(ticket)
            elif ticket.done() and not ticket.cancelled():
                self.window.release(self._clock.now(), ticket.result(), Feedback("neutral"))
            self._start_ready()

    def start_ready(self) -> None:
        """Start the requests at the head of the queue that may start by now."""
        with self._lock:
            self._start_ready()

    def cancel_stopped(self) -> None:
        """Cancel the tickets of runs that were stopped."""
        with self._lock:
            for ticket in [ticket for ticket in self._queue if ticket.run.stopped.is_set()]:
                self._queue.remove(ticket)
                ticket.cancel()
            self._start_ready()

    def _refuse(self, run: RunControl, refusal: _LongWait) -> None:
        """End the waiting of a run that was refused for longer than it waits. The lock is held.

        Its waiting requests, and those to come until the time is over, raise the refusal's error.
        """
        self._refusals[run] = refusal
        for ticket in [ticket for ticket in self._queue if ticket.run is run]:
            self._queue.remove(ticket)
            ticket.cancel()

    def _raise_if_over(self, run: RunControl) -> None:
        """Raise RunCancelled if the run was stopped, and the endpoint's error if it was refused."""
        run.raise_if_stopped()
        refusal = self._refusals.get(run)
        if refusal is not None and (seconds := refusal.until - self._clock.now()) > 0:
            outcome = refusal.outcome
            raise say_when(status_errors.status_error(outcome.status, outcome.headers, outcome.body), seconds)

    def _start_ready(self) -> None:
        while self._queue and self._start(self._queue[0]):
            self._queue.popleft()

    def _start(self, ticket: Ticket) -> bool:
        """Start the request if it may start now. The lock is held."""
        run, now = ticket.run, self._clock.now()
        if run.initial_window > self.window.size:
            self.window.raise_to(run.initial_window)
        if self.window.admit(now, 0, *self._limits(), run.patience) > 0:
            return False
        ticket.set_result(now)
        return True

    def _delay(self, ticket: Ticket) -> float:
        """Seconds until the ticket's turn may come, if nothing is released before; 0 if it has come."""
        with self._lock:
            self._start_ready()
            if ticket.done():
                return 0.0
            ahead = ticket.number - self._queue[0].number
            return self.window.delay(self._clock.now(), ahead, *self._limits(), ticket.run.patience)

    def _limits(self) -> tuple[float | None, float | None]:
        """The strictest rpm and tpm, of all runs and of this limiter itself."""
        rpm = min((limit for limit in (self._rpm, *(run.rpm for run in self._runs)) if limit), default=None)
        tpm = min((limit for limit in (self._tpm, *(run.tpm for run in self._runs)) if limit), default=None)
        return rpm, tpm

    # ---- waiting

    def acquire(self, run: RunControl) -> float:
        """Wait until a request may start, and count it as in flight.

        Returns:
            The time of the start, on the limiter's clock.

        Raises:
            RunCancelled: The run was stopped before.
            AzmlError: The endpoint refuses the run's requests for longer than the run waits.
        """
        self._raise_if_over(run)
        ticket = self.enter(run)
        try:
            while not ticket.done():
                self._clock.wait(ticket, min(self._delay(ticket), _POLL_INTERVAL))
                self._raise_if_over(run)
            started: float = ticket.result()
        except BaseException:
            self.leave(ticket)
            raise
        if run.on_permit is not None:
            run.on_permit()
        return started

    async def aacquire(self, run: RunControl) -> float:
        """What `acquire` does, on the running event loop; `on_permit` is not called."""
        self._raise_if_over(run)
        ticket = self.enter(run)
        try:
            while not ticket.done():
                await self._clock.async_wait(ticket, min(self._delay(ticket), _POLL_INTERVAL))
                self._raise_if_over(run)
            started: float = ticket.result()
        except BaseException:
            self.leave(ticket)
            raise
        return started

    @property
    def pause(self) -> Waiting | None:
        """The pause that an overload has brought on all requests, None if there is none now."""
        seconds = self.window.pause_left(self._clock.now())
        return Waiting(self.window.pause_reason, seconds) if seconds else None

    # ---- outcomes

    def release(self, started: float, outcome: Outcome | None, run: RunControl | None = None) -> None:
        """Record the outcome of a request.

        Args:
            started: When it started, as `acquire` returned it.
            outcome: What came of it; None if it was given up.
            run: The run that it belongs to. If the endpoint asks to wait for longer than the run waits, the run's
                other requests fail at once with the same error.
        """
        feedback = feedback_from(outcome)
        seconds = feedback.retry_after
        with self._lock:
            now = self._clock.now()
            self.window.release(now, started, feedback)
            if run is not None and isinstance(outcome, HTTPResponse) and seconds and seconds > run.patience:
                self._refuse(run, _LongWait(outcome, now + seconds))
            self._start_ready()

    def record_usage(self, tokens: float) -> None:
        """Record the tokens that one response cost."""
        if not (self._runs or self._tpm or self.window.reports_tokens):
            return
        with self._lock:
            self.window.record_usage(self._clock.now(), tokens, self._limits()[1])

    def has_failed_for(self, seconds: float) -> bool:
        """Whether every request of the last `seconds` failed for lack of room or of a connection."""
        with self._lock:
            since = self.window.overloaded_since
            return since is not None and self._clock.now() - since >= seconds

    def should_give_up(self, error: AzmlError, give_up_after: float) -> bool:
        """Whether a call that failed with `error` should not be retried.

        That is so if no request has succeeded for too long, or if the endpoint asks to wait for longer than that.

        Args:
            error: Why the call failed.
            give_up_after: Seconds for which the endpoint may be overloaded. If it cannot be reached, it has ten
                seconds to come back.
        """
        if is_overload(error):
            return (getattr(error, "retry_after", None) or 0.0) > give_up_after or self.has_failed_for(give_up_after)
        unreachable = _GIVE_UP_LOST if self.window.has_succeeded else _GIVE_UP_UNKNOWN
        return self.has_failed_for(min(give_up_after, unreachable))

    @contextlib.contextmanager
    def apply_limits(self, run: RunControl) -> Iterator[None]:
        """Apply the run's limits to all requests at this endpoint until the block ends."""
        if run.rpm is None and run.tpm is None:
            yield
            return
        with self._lock:
            self._runs.append(run)
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):  # a forked child has forgotten it
                self._runs.remove(run)

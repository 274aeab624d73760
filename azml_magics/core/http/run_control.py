"""One run over many prompts: its limits, its stop, and the calls that belong to it.

with limit_rate() as run:           # in this context, and in the threads that copy it
    invoke(config, prompt)          # waits for a permit, and reports its outcome to the rate limiter

`stop` lets the requests in flight end; `abandon` closes their connections and gives their permits back.
"""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .waiting import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RunCancelled(BaseException):
    """The run was stopped while a request waited, or abandoned. Not an error: it only unwinds the thread or task."""


class InFlight(Protocol):
    """What a run can abandon: a connection with a request, or a permit."""

    def abandon(self) -> None:
        """End it at once, whatever thread uses it."""


@dataclass(eq=False)
class RunControl:
    """The limits of one run over many prompts, and the switch that stops it.

    Attributes:
        rpm, tpm: Requests and tokens per minute at most; None for no limit.
        give_up_after: Seconds for which calls are retried while the endpoint is overloaded; 0.0 leaves retries to the
            config's max_retries.
        on_permit: Called by every thread that gets a permit.
        initial_window: Requests that may start together while the endpoint has not been overloaded.
        stopped: Set once the run is stopped; may be shared.
        is_abandoned: Whether its requests in flight were ended.
    """

    rpm: float | None = None
    tpm: float | None = None
    give_up_after: float = 0.0
    on_permit: Callable[[], object] | None = None
    initial_window: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    is_abandoned: bool = False
    _callbacks: set[Callable[[], object]] = field(default_factory=set)
    _in_flight: set[InFlight] = field(default_factory=set)

    def stop(self) -> None:
        """Start no more requests; every waiting one raises RunCancelled at once."""
        self.stopped.set()
        for callback in list(self._callbacks):
            callback()

    def abandon(self) -> None:
        """Stop, and end the requests in flight: their threads raise RunCancelled, and their permits are free at once.

        An abandoned request has no outcome: the server may have handled it.
        """
        self.is_abandoned = True
        self.stop()
        for request in list(self._in_flight):
            request.abandon()

    def add(self, request: InFlight) -> None:
        """Count a request, or its permit, as in flight, so that `abandon` ends it.

        Raises:
            RunCancelled: The run was abandoned before.
        """
        self._in_flight.add(request)
        if self.is_abandoned:
            request.abandon()
            self.remove(request)
            raise RunCancelled

    def remove(self, request: InFlight) -> bool:
        """Count it as no longer in flight; False if it was not."""
        try:
            self._in_flight.remove(request)
        except KeyError:
            return False
        return True

    @property
    def patience(self) -> float:
        """The longest Retry-After that requests of the run wait for, in seconds."""
        return self.give_up_after or LONGEST_WAIT

    def call_on_stop(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the run is stopped."""
        self._callbacks.add(callback)

    def pause(self, seconds: float) -> None:
        """Sleep between two attempts.

        Raises:
            RunCancelled: The run was stopped meanwhile.
        """
        if self.stopped.wait(seconds):
            raise RunCancelled

    def raise_if_stopped(self) -> None:
        """Raise RunCancelled once the run is stopped."""
        if self.stopped.is_set():
            raise RunCancelled


_current_run: ContextVar[RunControl | None] = ContextVar("azml_current_run", default=None)


@contextlib.contextmanager
def limit_rate(run: RunControl | None = None) -> Iterator[RunControl]:
    """Make every `invoke` in this block wait for a permit of its endpoint's rate limiter.

    Args:
        run: The limits to apply; by default those of the endpoint alone.

    Yields:
        The run, whose `stop` ends all waiting.
    """
    run = run or RunControl()
    token = _current_run.set(run)
    try:
        yield run
    finally:
        _current_run.reset(token)


@contextlib.contextmanager
def outside_run() -> Iterator[None]:
    """Send what is in this block, although its run may be abandoned."""
    token = _current_run.set(None)
    try:
        yield
    finally:
        _current_run.reset(token)


def current_run() -> RunControl | None:
    """The run that a call in this context belongs to; None for a single call."""
    return _current_run.get()


@contextlib.contextmanager
def in_flight(request: InFlight) -> Iterator[None]:
    """Let the run of this context, if there is one, abandon a request until the block ends.

    Raises:
        RunCancelled: The run was abandoned; replaces the error of the connection that this broke.
    """
    run = current_run()
    if run is None:
        yield
        return
    run.add(request)
    try:
        yield
    except Exception:
        if run.is_abandoned:
            raise RunCancelled from None
        raise
    finally:
        run.remove(request)

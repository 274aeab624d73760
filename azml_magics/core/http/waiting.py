"""Reports that a call waits for its next try, to the front end that shows the call.

with observe_waiting(show):      # in this context, and in threads that copy it
    invoke(config, prompt)       # calls show(Waiting(...)) before each wait, and show(None) once the call has ended
"""

from __future__ import annotations

import contextlib
import math
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from ..errors import EndpointError
from ..text import format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..errors import AzmlError

LONGEST_WAIT = 60.0  # seconds of Retry-After that a call waits for, unless its run waits longer: quotas are per minute
SHORTEST_REPORTED = 1.0  # seconds
_MINUTE = 60


@dataclass(frozen=True)
class Waiting:
    """A wait before a request is sent. `str()` is a line such as "429: waiting 12 s, try 2 of 3".

    Attributes:
        reason: Why: the status of the last response, or "no connection".
        seconds: How long.
        attempt: The number of the next try; 0 if tries are not counted.
        attempts: How many tries there will be at most.
    """

    reason: str
    seconds: float
    attempt: int = 0
    attempts: int = 0

    def __str__(self) -> str:
        tries = f", try {self.attempt} of {self.attempts}" if self.attempt else ""
        seconds = math.ceil(self.seconds)
        duration = f"{seconds} s" if seconds < _MINUTE else format_seconds(seconds)
        return f"{self.reason}: waiting {duration}{tries}"


Observer: TypeAlias = "Callable[[Waiting | None], object]"

_observer: ContextVar[Observer | None] = ContextVar("azml_waiting_observer", default=None)


@contextlib.contextmanager
def observe_waiting(observer: Observer) -> Iterator[None]:
    """Call `observer` with every wait of the calls in this block, and with None when such a call has ended.

    Args:
        observer: Called in the thread or task that waits. It must not raise.
    """
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def report(waiting: Waiting | None) -> None:
    """Tell this context's observer about a wait of a second or more; None when the call that waited has ended."""
    observer = _observer.get()
    if observer is not None and (waiting is None or waiting.seconds >= SHORTEST_REPORTED):
        observer(waiting)


def reason_of(error: AzmlError) -> str:
    """What a line about waiting names as its reason."""
    return str(error.status) if isinstance(error, EndpointError) and error.status else "no connection"


def say_when(error: AzmlError, seconds: float) -> AzmlError:
    """Add to the error's cause when the endpoint accepts requests again, and return the error."""
    moment = datetime.now().astimezone() + timedelta(seconds=seconds)
    is_today = moment.date() == datetime.now().astimezone().date()
    clock = f"{moment:%H:%M}" if is_today else f"{moment:%Y-%m-%d %H:%M}"
    error.cause = f"{error.cause.rstrip('.')}. It accepts requests again in {format_seconds(seconds)}, at {clock}"
    error.args = (error.cause,)
    return error

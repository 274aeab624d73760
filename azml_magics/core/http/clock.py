"""The clock of a rate limiter: what time it is, and how threads and tasks wait. Tests pass one that they move."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from typing import Any, TypeAlias

_AnyFuture: TypeAlias = "concurrent.futures.Future[Any]"


class Clock:
    """The system's monotonic clock."""

    def now(self) -> float:
        """The time in seconds."""
        return time.monotonic()

    def wait(self, future: _AnyFuture, seconds: float) -> None:
        """Wait in this thread until `future` is done, at most for `seconds`."""
        with contextlib.suppress(concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            future.result(seconds)

    async def async_wait(self, future: _AnyFuture, seconds: float) -> None:
        """What `wait` does, on the running event loop."""
        await asyncio.wait([asyncio.wrap_future(future)], timeout=seconds)

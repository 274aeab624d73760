"""How long a piece of work with many requests may still take, and its end before that."""

from __future__ import annotations

import math
import threading
import time

from azml_magics.core.errors import APITimeoutError


class Deadline:
    """The end of the time that several threads may take together.

    Args:
        seconds: How long from now; by default there is no end.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = threading.Event()

    def remaining(self) -> float:
        """Seconds that are left.

        Raises:
            APITimeoutError: None are left, or the work was cancelled.
        """
        left = self._end - time.monotonic()
        if left <= 0 or self._cancelled.is_set():
            took = "" if self._cancelled.is_set() else f" within {self._seconds:g} s"
            raise APITimeoutError(
                f"This was not finished{took}", remedy="Ask for less, or allow more time.", error_code="out-of-time"
            )
        return left

    def cancel(self) -> None:
        """End the work: every wait ends, and no further request is sent."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait in this thread for `seconds`, or until the work is cancelled."""
        self._cancelled.wait(seconds)

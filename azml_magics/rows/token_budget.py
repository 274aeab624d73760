"""TokenBudget: stops a run before it uses more tokens than the user allows."""

from __future__ import annotations

import threading


class TokenBudget:
    """Decides whether another row may start. Threads share it.

    Attributes:
        is_spent: Whether a row was refused; no further row starts then.
    """

    def __init__(self, limit: int | None) -> None:
        """Begin with no tokens used.

        Args:
            limit: The most tokens; None for no limit.
        """
        self.is_spent = False
        self._limit = limit
        self._lock = threading.Lock()
        self._tokens = self._responses = self._started = self._ended = 0

    def record_start(self) -> None:
        """Record that a request was started."""
        with self._lock:
            self._started += 1

    def record(self, tokens: int) -> None:
        """Record a response that used `tokens`."""
        with self._lock:
            self._tokens += tokens
            self._responses += 1
            self._ended += 1

    def record_failure(self) -> None:
        """Record a request that failed; it is no longer in flight and used no tokens."""
        with self._lock:
            self._ended += 1

    def allows_another(self, started: int | None = None) -> bool:
        """Return whether the tokens so far, and those expected of the requests in flight, are below the limit.

        Args:
            started: How many requests were started; None for those that `record_start` counted.
        """
        if self._limit is not None and not self.is_spent:
            with self._lock:
                average = self._tokens / self._responses if self._responses else 0.0
                self.is_spent = (
                    self._tokens + average * ((self._started if started is None else started) - self._ended)
                    >= self._limit
                )
        return not self.is_spent

    @property
    def note(self) -> str:
        """A sentence for the results of a run that ended at the limit, "" for another."""
        return f"Stopped starting rows at the limit of {self._limit:,} tokens" if self.is_spent else ""

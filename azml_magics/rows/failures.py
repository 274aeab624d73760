"""Whether a failure is the row's or the endpoint's, and when it is time to give up. Pure."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from ..core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigError,
    JournalError,
    NotFoundError,
    NotRecordedError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)

T = TypeVar("T")
Verdict = Literal["row", "held", "end"]

# No other row would fare better.
_HOPELESS = (AuthenticationError, PermissionDeniedError, NotFoundError, ConfigError, JournalError, NotRecordedError)
# Nothing seems wrong with the row: it is to blame only if the endpoint goes on to answer others.
_PASSING = (APIConnectionError, ServiceUnavailableError, APITimeoutError, RateLimitError)
DEAD_AFTER = 5  # so many of them in a row, begun after the first of them failed, and the endpoint is gone
WRONG_AFTER = 20  # so many refusals before the first answer, and it is not the rows


class Health(Generic[T]):
    """What the failures so far say. `held` has the rows whose failure may be the endpoint's, with their errors."""

    def __init__(self, *, has_answered: bool = False) -> None:
        self._has_answered = has_answered
        self._failing_since: float | None = None
        self._further = 0
        self._refused = 0
        self.held: list[tuple[T, Exception]] = []

    @property
    def is_fine(self) -> bool:
        """Whether an answer would teach nothing new."""
        return self._has_answered and self._failing_since is None

    def answered(self) -> list[tuple[T, Exception]]:
        """A row has its answer: the rows that were held did fail, and are handed back."""
        self._has_answered = True
        return self._alive()

    def _alive(self) -> list[tuple[T, Exception]]:
        self._failing_since, self._further = None, 0
        proven, self.held = self.held, []
        return proven

    def failed(self, row: T, error: Exception, began: float, now: float, *, is_gone: bool = False) -> Verdict:
        """What to do about the row that began at `began` and failed now; `is_gone`: its endpoint answers nobody.

        "row": it failed. "held": nobody knows yet. "end": the run is to end with this error.
        """
        if isinstance(error, _HOPELESS):
            return "end"
        if isinstance(error, _PASSING):
            return "end" if is_gone else self._passing(row, error, began, now)
        if not self._has_answered:
            self._refused += 1
            if self._refused >= WRONG_AFTER:
                return "end"
        return "row"

    def _passing(self, row: T, error: Exception, began: float, now: float) -> Verdict:
        if self._failing_since is None:
            self._failing_since = now
        elif began >= self._failing_since:  # those before it went down together with the first
            self._further += 1
            if self._further >= DEAD_AFTER:
                return "end"
        self.held.append((row, error))
        return "held"

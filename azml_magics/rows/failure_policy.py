"""Decides whether a failure belongs to its row or to the endpoint, and when a run ends. Pure."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from ..core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigError,
    JournalError,
    ModelError,
    NotFoundError,
    NotRecordedError,
    PermissionDeniedError,
    RateLimitError,
    RunnableError,
    ServiceUnavailableError,
)

T = TypeVar("T")
Verdict = Literal["row", "pending", "end"]

# Every other row would fail, too.
_FATAL = (AuthenticationError, PermissionDeniedError, NotFoundError, ConfigError, JournalError, NotRecordedError)
# The row is to blame only if other rows succeed afterwards.
_TEMPORARY = (APIConnectionError, ServiceUnavailableError, APITimeoutError, RateLimitError)
_FATAL_STATUSES = (401, 403, 404)  # of another provider's model
_TEMPORARY_STATUSES = (0, 408, 429, 500, 502, 503, 504, 529)  # 0: no connection
MAX_TEMPORARY = 5  # requests in succession that began after a temporary failure and failed: the endpoint is down
MAX_REJECTED = 20  # rejections before the first success: the request itself is wrong


def _is_scoring_failure(error: Exception) -> bool:
    """Whether the deployment's script failed on the row's input: other inputs may be fine, however many fail first."""
    return isinstance(error, ModelError) and error.error_code == "scoring-failed"


def _provider_status(error: Exception) -> int | None:
    """The HTTP status of another provider's error, which a Runnable raised; 0 without a connection, None if unknown."""
    status = error.facts.get("status") if isinstance(error, RunnableError) else None
    return status if isinstance(status, int) else None


class FailurePolicy(Generic[T]):
    """Decides what a failed request means for its run.

    Attributes:
        pending: The rows whose failure may be the endpoint's, with their errors.
    """

    def __init__(self, *, has_succeeded: bool = False) -> None:
        """Begin without failures.

        Args:
            has_succeeded: Whether an earlier run had a response, so that rejections belong to their rows.
        """
        self._has_succeeded = has_succeeded
        self._failing_since: float | None = None
        self._temporary = 0
        self._rejected = 0
        self.pending: list[tuple[T, Exception]] = []

    @property
    def is_healthy(self) -> bool:
        """Whether the last request succeeded, so that `record_success` would change nothing."""
        return self._has_succeeded and self._failing_since is None

    def note_success(self) -> None:
        """Record that an earlier run had a response for a row: rejections belong to their rows."""
        self._has_succeeded = True

    def record_success(self) -> list[tuple[T, Exception]]:
        """Record that a row has its response. Return the pending rows: they failed by themselves."""
        self._has_succeeded = True
        self._failing_since, self._temporary = None, 0
        failed, self.pending = self.pending, []
        return failed

    def record_failure(
        self, row: T, error: Exception, began: float, now: float, *, is_unavailable: bool = False
    ) -> Verdict:
        """Record a failed request and decide what follows.

        Args:
            row: The row that was sent.
            error: Why it failed.
            began: When its request began, in seconds.
            now: The time, on the same clock.
            is_unavailable: Whether no request to the endpoint has succeeded for too long.

        Returns:
            "row" if the row failed, "pending" if later requests decide, "end" if the run ends with this error.
        """
        is_refused = _provider_status(error) in _FATAL_STATUSES and not self._has_succeeded  # later: that of a tool
        if isinstance(error, _FATAL) or is_refused:
            return "end"
        if isinstance(error, _TEMPORARY) or _provider_status(error) in _TEMPORARY_STATUSES:
            return "end" if is_unavailable else self._record_temporary(row, error, began, now)
        if not self._has_succeeded and not _is_scoring_failure(error):
            self._rejected += 1
            if self._rejected >= MAX_REJECTED:
                return "end"
        return "row"

    def _record_temporary(self, row: T, error: Exception, began: float, now: float) -> Verdict:
        if self._failing_since is None:
            self._failing_since = now
        elif began >= self._failing_since:  # requests that began earlier failed for the same reason as the first
            self._temporary += 1
            if self._temporary >= MAX_TEMPORARY:
                return "end"
        self.pending.append((row, error))
        return "pending"

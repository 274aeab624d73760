"""Errors of runs over rows, and interrupts."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - get_type_hints() needs it
from typing import Any, Protocol

from .base import AzmlError


class _Text(Protocol):
    """A response: this module must not import the class."""

    @property
    def text(self) -> str: ...


class _Row(Protocol):
    """A row of a batch."""

    @property
    def error(self) -> BaseException | None: ...
    @property
    def response(self) -> Any: ...


class JournalError(AzmlError):
    """A journal that cannot be used: not writable, in use by another run, or the journal of other prompts."""

    error_code = "journal"


class RowsError(AzmlError):
    """A run over rows that ended before its last row.

    Attributes:
        batch: the rows with what arrived, or None. The error that ended the run is `__cause__`.
        kept: what happens to the finished rows, as a sentence; it follows the remedy.
    """

    error_code = "rows"

    def __init__(
        self, cause: str, *, remedy: str = "", kept: str = "", batch: Sequence[_Row] | None = None, **context: Any
    ) -> None:
        """Make the error; `context` are AzmlError's other arguments."""
        super().__init__(cause, remedy=f"{remedy} {kept}".strip(), **context)
        self.kept = kept
        self.batch: Any = batch  # a Batch, which this module must not import


class EvaluationFailed(AzmlError, AssertionError):
    """An evaluation that does not meet its requirements. Test runners report it as a failed assertion.

    Attributes:
        batch: the whole evaluation, or None.
    """

    error_code = "evaluation-failed"

    def __init__(self, cause: str, *, batch: Sequence[_Row] | None = None, **context: Any) -> None:
        """Make the error; `context` are AzmlError's other arguments."""
        super().__init__(cause, **context)
        self.batch: Any = batch  # an Evaluation, which this module must not import


class Interrupted(KeyboardInterrupt):
    """A kernel interrupt that keeps what had arrived.

    Attributes:
        response: what had arrived, or None.
        batch: the rows of a side-by-side run, or None.
        error_code: "interrupted", or "interrupted-empty" if nothing had arrived.
        remedy: where to find what had arrived; "" if nothing had.
    """

    def __init__(self, response: _Text | None = None, batch: Sequence[_Row] | None = None) -> None:
        """Make the interrupt with what had arrived."""
        super().__init__("interrupted")
        self.response: Any = response  # a Response and a Batch, which this module must not import
        self.batch: Any = batch
        self.error_code = "interrupted" if self._has_arrived else "interrupted-empty"
        self.remedy = f"See the error's {'batch' if batch is not None else 'response'}." if self._has_arrived else ""

    @property
    def _has_arrived(self) -> bool:
        response = self.response
        return self.batch is not None or bool(response is not None and (response.text or self._steps))

    @property
    def _steps(self) -> int:
        """How many calls of tools had been made."""
        return len(getattr(self.response, "tool_runs", ()))

    @property
    def cause(self) -> str:
        """What was stopped, and how much had arrived."""
        if self.batch is not None:
            whole = sum(row.error is None and row.response is not None for row in self.batch)
            return f"Stopped; {whole} of {len(self.batch)} responses were complete."
        if self._steps and not self.response.text:
            calls = f"{self._steps} tool call{'' if self._steps == 1 else 's'}"
            return f"Stopped after {calls}; what had arrived is kept."
        if self.response is None or not self.response.text:
            return "Stopped before the first token; nothing had arrived."
        return f"Stopped; {len(self.response.text):,} characters had arrived and are kept."

    @property
    def facts(self) -> dict[str, Any]:
        """Nothing: the cause says it all."""
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.response, self.batch), {"remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]

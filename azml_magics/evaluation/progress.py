"""The progress of an evaluation: the counts of all its settings, and of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.text import format_seconds, one_line
from ..rows.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_SHOWN = 6  # settings in a line


@dataclass(frozen=True)
class EvaluationProgress(Progress):
    """The counts of an evaluation at one moment. A row is counted once for every setting and repeat.

    Attributes:
        by_setting: The label and the counts of each setting.
        phase: What is done now besides sending the rows, such as "judging 12 of 60"; "" if nothing is.
    """

    by_setting: tuple[tuple[str, Progress], ...] = ()
    phase: str = ""

    @classmethod
    def of(
        cls, by_setting: Sequence[tuple[str, Progress]], phase: str = "", *, seconds: float = 0.0, is_over: bool = False
    ) -> EvaluationProgress:
        """Return the counts of all settings together.

        Args:
            by_setting: The label and the counts of each setting.
            phase: What is done now besides sending the rows.
            seconds: How long the evaluation has run.
            is_over: Whether it has ended.
        """
        each = [progress for _, progress in by_setting]
        totals = [progress.total for progress in each]
        return cls(
            None if None in totals else sum(total or 0 for total in totals),
            done=sum(progress.done for progress in each),
            failed=sum(progress.failed for progress in each),
            reused=sum(progress.reused for progress in each),
            tokens=sum(progress.tokens for progress in each),
            in_flight=sum(progress.in_flight for progress in each),
            seconds=seconds,
            rate=sum(progress.rate for progress in each if not progress.is_over),
            is_over=is_over,
            waiting="; ".join(
                f"{one_line(label, 30)}: {progress.waiting}" for label, progress in by_setting if progress.waiting
            ),
            by_setting=tuple(by_setting),
            phase=phase,
        )

    def __str__(self) -> str:
        counted = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        parts = [f"{counted} responses"]
        parts += [f"{self.reused:,} from the journal"] if self.reused else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.tokens:,} tokens"] if self.tokens else []
        if self.is_over:
            return ", ".join([*parts, format_seconds(self.seconds)])
        parts += [f"{self.rate:,.1f} responses/s"] if self.rate else []
        parts += [f"{format_seconds(self.seconds_left)} left"] if self.seconds_left is not None else []
        parts += [one_line(self.waiting)] if self.waiting else []
        parts += [self.phase] if self.phase else []
        return ", ".join(parts) + self._settings()

    def _settings(self) -> str:
        """Return how far each setting is, such as " (small 12, large 40)"; "" for a single one."""
        if len(self.by_setting) < 2:  # noqa: PLR2004 - one setting is all of them
            return ""
        shown = [f"{one_line(label, 30)} {progress.done:,}" for label, progress in self.by_setting[:_MAX_SHOWN]]
        more = ["…"] if len(self.by_setting) > _MAX_SHOWN else []
        return f" ({', '.join([*shown, *more])})"

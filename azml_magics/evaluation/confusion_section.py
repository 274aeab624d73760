"""ConfusionTable: how often each label was given where another was expected, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass
from typing import Any

from ..core.text import one_line
from .outcome import RIGHT
from .section import Cell, Section, sections_bundle
from .settings import Setting  # noqa: TC001 - get_type_hints() needs it

_MAX_LABEL = 40  # characters


@dataclass(frozen=True, repr=False)
class ConfusionTable:
    """How often each answer was given where another one was expected, with one setting.

    Attributes:
        setting: The setting.
        score: The name of the score that compared them.
        expected: The expected labels, a line each.
        answers: The answers, a column each: the expected labels first, then others by how often they came.
        counts: `counts[i][j]`: how often `answers[j]` came where `expected[i]` was right.
        left_out: How many responses have answers without a column, or expectations without a line.
    """

    setting: Setting
    score: str
    expected: Sequence[str]
    answers: Sequence[str]
    counts: Sequence[Sequence[int]]
    left_out: int = 0

    def to_section(self) -> Section:
        """Return the table: expected labels down, answers across."""
        answers = [one_line(answer, _MAX_LABEL) or "(nothing)" for answer in self.answers]
        rows = [
            [Cell.of(one_line(label, _MAX_LABEL) or "(nothing)"), *map(_count_cell, counts), Cell.of(sum(counts))]
            for label, counts in zip(self.expected, self.counts, strict=True)
        ]
        of = "" if self.score == RIGHT else f" of {self.score}"
        note = f"{self.left_out:,} more responses are longer texts, or have rarer labels." if self.left_out else ""
        setting = f": {self.setting.label}" if self.setting.label else ""
        title = f"Expected (down) and answered (across){of}{setting}"
        return Section(title, ("expected", *answers, "all"), rows, note=note)

    def __repr__(self) -> str:
        return self.to_section().to_text()

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sections_bundle([self.to_section()])


def _count_cell(count: int) -> Cell:
    return Cell(count, f"{count:,}" if count else "")

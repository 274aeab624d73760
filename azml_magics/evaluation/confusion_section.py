"""A confusion table as a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.text import one_line
from .outcome import RIGHT
from .section import Cell, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .summary import ConfusionTable

_MAX_LABEL = 40  # characters


def confusion_section(table: ConfusionTable) -> Section:
    """Return how often each answer came where another one was expected: expected labels down, answers across."""
    answers = [one_line(answer, _MAX_LABEL) or "(nothing)" for answer in table.answers]
    rows = [
        [Cell.of(one_line(label, _MAX_LABEL) or "(nothing)"), *(_count_cell(count) for count in counts), _total(counts)]
        for label, counts in zip(table.expected, table.counts, strict=True)
    ]
    of = "" if table.score == RIGHT else f" of {table.score}"
    left_out = f"{table.left_out:,} responses have rarer labels, without a line or a column." if table.left_out else ""
    title = f"Expected (down) and answered (across){of}: {table.setting.label}"
    return Section(title, ("expected", *answers, "all"), rows, note=left_out)


def _count_cell(count: int) -> Cell:
    return Cell(count, f"{count:,}" if count else "")


def _total(counts: Sequence[int]) -> Cell:
    return Cell.of(sum(counts))

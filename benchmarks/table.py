"""Rows of the result, and their markdown table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        what: What was measured.
        ours: The figure of azml-magics, in `unit`.
        peer: The name of the client it is compared with.
        theirs: The figure of the peer, in `unit`.
        unit: The unit of both figures.
        limit: The mark: the largest ratio of ours to theirs, or the largest difference in `unit` if `is_difference`;
            None for a row that is only for information.
        is_difference: Whether the mark is about the difference.
        note: Text of the last column.
    """

    what: str
    ours: float
    peer: str
    theirs: float
    unit: str
    limit: float | None = None
    is_difference: bool = False
    note: str = ""

    @property
    def measured(self) -> float:
        """The figure that the mark is about."""
        return self.ours - self.theirs if self.is_difference else self.ours / self.theirs

    @property
    def is_met(self) -> bool:
        """Whether the mark is met; True without a mark."""
        return self.limit is None or self.measured <= self.limit

    def cells(self) -> tuple[str, ...]:
        """The row's cells, as text."""
        if self.is_difference:
            ratio = f"{self.measured:+.3g} {self.unit}"
            mark = "" if self.limit is None else f"<= +{self.limit:g} {self.unit}"
        else:
            ratio, mark = _share(self.measured), "" if self.limit is None else f"<= {_share(self.limit)}"
        verdict = "" if self.limit is None else "yes" if self.is_met else "**no**"
        ours, theirs = (f"{value:,.3g} {self.unit}" for value in (self.ours, self.theirs))
        return (self.what, ours, self.peer, theirs, ratio, mark, verdict, self.note)


def _share(ratio: float) -> str:
    """The ratio as "1.3x", as "1/40" below one half, or as "below 0"."""
    if ratio <= 0:
        return "below 0"
    return f"{ratio:.2f}x" if ratio > 0.5 else f"1/{1 / ratio:.3g}"


HEAD = ("what", "ours", "peer", "theirs", "ours to theirs", "mark", "met", "")


def to_markdown(rows: Iterable[Row]) -> str:
    """Write the rows as a markdown table with aligned columns."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]

    def line_of(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line_of(lines[0]), rule, *map(line_of, lines[1:])])

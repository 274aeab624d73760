"""How the figures of an evaluation are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.pricing import format_cost, round_cost
from .section import Cell

if TYPE_CHECKING:
    from .statistics import Difference, Interval

EMPTY = Cell(None, "")
_MINUS = "\N{MINUS SIGN}"


def figure_cell(value: float | None) -> Cell:
    """Return the cell of a share or a mean: three decimals, fewer for large numbers."""
    return EMPTY if value is None else Cell(round(value, 3), format_figure(value))


def interval_cell(interval: Interval | None) -> Cell:
    """Return the cell of an interval, such as "0.82 to 0.97"."""
    if interval is None:
        return EMPTY
    return Cell(text := f"{format_figure(interval.low, 2)} to {format_figure(interval.high, 2)}", text)


def difference_cell(difference: Difference | None) -> Cell:
    """Return the cell of a paired difference with its verdict."""
    if difference is None or not difference.pairs:
        return EMPTY
    sign = "+" if difference.value > 0 else _MINUS if difference.value < 0 else ""
    return Cell(text := f"{sign}{format_figure(abs(difference.value))}, {difference.verdict}", text)


def seconds_cell(seconds: float | None) -> Cell:
    """Return the cell of a latency, in seconds."""
    return EMPTY if seconds is None else Cell(round(seconds, 3), f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}")  # noqa: PLR2004 - hundredths matter below ten seconds only


def cost_cell(cost: float | None) -> Cell:
    """Return the cell of a cost."""
    return EMPTY if cost is None else Cell(round_cost(cost), format_cost(cost))


def format_figure(value: float, decimals: int = 3) -> str:
    """Return a share or a mean as a text."""
    return f"{value:,.{decimals if abs(value) < 100 else 1}f}".replace("-", _MINUS)  # noqa: PLR2004 - a scorer's own scale

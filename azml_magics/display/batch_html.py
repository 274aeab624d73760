"""A Batch and the Results of rows as HTML tables."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..core.text import one_line
from ..rows.results import Results
from .table import Cell, html_table

if TYPE_CHECKING:
    from ..compare.comparison import Batch

_MAX_CELL = 300  # characters of a response in a preview of rows


def batch_to_html(batch: Batch, *, times: bool = False) -> str:
    """`batch` as an HTML table; for the results of rows, their counts and first rows.

    Args:
        batch: The rows to show. Words that differ from the first response are in `<mark>`.
        times: Whether to show how long it took; without times the same responses give the same table.
    """
    if isinstance(batch, Results):
        return _results_to_html(batch, times=times)
    columns = ("response", "finish", "tokens", "seconds") if times else ("response", "finish", "tokens")
    rows: list[list[str | Cell]] = []
    for row, pieces in zip(batch, batch.mark_differences(), strict=True):
        label = Cell([(row.label, False)], white_space="nowrap")
        text = Cell(pieces, error=row.failure, white_space="pre-wrap")
        figures = [Cell([(figure, False)], white_space="nowrap") for figure in row.figures()[: len(columns) - 1]]
        rows.append([label, text, *figures])
    return html_table((batch.setting_name, *columns), rows)


def _results_to_html(results: Results, *, times: bool) -> str:
    rows: list[list[str | Cell]] = []
    for row in results.preview():
        finish, tokens, _ = row.figures()
        text = Cell([(one_line(row.text, _MAX_CELL), False)], error=row.failure)
        rows.append([f"{row.index}", row.label, text, finish, tokens])
    table = html_table(("", "row", "response", "finish", "tokens"), rows)
    rest = f"<p>{html.escape(results.rest())}</p>" if results.rest() else ""
    return f"<p>{html.escape(results.counts(times=times))}</p>{table}{rest}"

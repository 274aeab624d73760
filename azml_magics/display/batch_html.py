"""A Batch and the Results of rows as HTML tables."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..core.text import one_line, printable
from ..rows.results import Results
from .table import NO_MATH, Cell, Fold, html_table

if TYPE_CHECKING:
    from ..compare.comparison import Batch, Row

_MAX_CELL = 300  # characters of a response in a preview of rows
_MAX_REASONING = 10_000  # characters of a response's thoughts


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
        text = Cell(pieces, row.failure, "pre-wrap", fold=_fold(row, batch), note=row.note)
        figures = [Cell([(figure, False)], white_space="nowrap") for figure in row.figures()[: len(columns) - 1]]
        rows.append([label, text, *figures])
    return html_table((batch.setting_name, *columns), rows)


def _results_to_html(results: Results, *, times: bool) -> str:
    rows: list[list[str | Cell]] = []
    for row in results.preview():
        finish, tokens, _ = row.figures()
        text = Cell([(one_line(row.text, _MAX_CELL), False)], row.failure, fold=_fold(row, results), note=row.note)
        rows.append([f"{row.index}", row.label, *results.cells(row), text, finish, tokens])
    table = html_table(("", "row", *results.fields, "response", "finish", "tokens"), rows)
    rest = f"<p>{html.escape(printable(results.rest()))}</p>" if results.rest() else ""
    failures = "<br>".join(html.escape(printable(line)) for line in results.failures())
    causes = f'<p class="{NO_MATH}">{failures}</p>' if failures else ""
    return f"<p>{html.escape(printable(results.counts(times=times)))}</p>{causes}{table}{rest}"


def cell_reasoning(row: Row, batch: Batch) -> str:
    """The thoughts that a row of a batch's table unfolds; "" if there are none, or if they are hidden."""
    if row.response is None or batch.show_reasoning == "hidden":
        return ""
    thoughts = printable(row.response.reasoning.strip())
    return thoughts if len(thoughts) <= _MAX_REASONING else f"{thoughts[:_MAX_REASONING]}…"


def _fold(row: Row, batch: Batch) -> Fold | None:
    thoughts = cell_reasoning(row, batch)
    tokens = row.response.usage.reasoning_tokens if row.response and row.response.usage else 0
    summary = f"Reasoning ({tokens:,} tokens)" if tokens else "Reasoning"
    return Fold(summary, thoughts, is_open=batch.show_reasoning == "open") if thoughts else None

"""A Batch and the Results of rows as HTML tables."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..compare.word_diff import diff_words
from ..core.text import one_line, printable
from ..rows.results import Results
from .facts import response_facts
from .table import NO_MATH, Cell, Fold, html_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..compare.comparison import Batch, Row

MAX_COLUMNS = 4
"""Responses that stand beside each other in a notebook's output; more of them stand below each other."""
_MIN_WIDTH = 200  # pixels of a column; narrower ones scroll
_ELEMENTS = {" ": "", "+": "ins", "-": "del"}
_MAX_CELL = 300  # characters of a response in a preview of rows
_MAX_REASONING = 10_000  # characters of a response's thoughts


def batch_to_html(batch: Batch, *, times: bool = False) -> str:
    """`batch` as an HTML table; for the results of rows, their counts and first rows.

    A few responses stand in columns beside each other, more of them below each other.

    Args:
        batch: The rows to show. Words that differ from the first response are in `<mark>`. If a base is set, words that
            it lacks are in `<ins>`, and words that only it has in `<del>`.
        times: Whether to show how long it took; without times the same responses give the same table.
    """
    if isinstance(batch, Results):
        return _results_to_html(batch, times=times)
    table = _columns if 1 < len(batch) <= MAX_COLUMNS else _rows
    return table(batch, times=times) + _legend(batch)


def _columns(batch: Batch, *, times: bool) -> str:
    name = "" if len(batch[0].setting) > 1 else batch.setting_name
    headings = [f"{name}: {row.label}" if name else row.label for row in batch]
    texts = [_text_cell(row, batch, pieces) for row, pieces in zip(batch, _pieces(batch), strict=True)]
    facts = [Cell([(" · ".join(_facts(row, times=times)), "")]) for row in batch]
    style = f"table-layout:fixed;width:100%;min-width:{len(batch) * _MIN_WIDTH}px"
    return f'<div style="overflow-x:auto">{html_table(headings, [texts, facts], style=style, scope="col")}</div>'


def _rows(batch: Batch, *, times: bool) -> str:
    columns = ("response", "finish", "tokens", "seconds") if times else ("response", "finish", "tokens")
    rows: list[list[str | Cell]] = []
    for row, pieces in zip(batch, _pieces(batch), strict=True):
        label = Cell([(row.label, "")], white_space="nowrap")
        figures = [Cell([(figure, "")], white_space="nowrap") for figure in row.figures()[: len(columns) - 1]]
        rows.append([label, _text_cell(row, batch, pieces), *figures])
    return html_table((batch.setting_name, *columns), rows)


def _text_cell(row: Row, batch: Batch, pieces: Sequence[tuple[str, str]]) -> Cell:
    return Cell(pieces, row.failure, "pre-wrap", fold=_fold(row, batch), note=row.note)


def _facts(row: Row, *, times: bool) -> list[str]:
    return response_facts(row.response, times=times, always_finish=True) if row.response else []


def _pieces(batch: Batch) -> list[list[tuple[str, str]]]:
    """The rows' texts in pieces, each with the element that marks it."""
    if batch.base is None or not batch.is_complete:
        return [[(piece, "mark" if differs else "") for piece, differs in text] for text in batch.mark_differences()]
    base = printable(batch[batch.base].text)
    return [mark_words(base, printable(row.text)) for row in batch]


def mark_words(base: str, text: str) -> list[tuple[str, str]]:
    """`text` in pieces, each with the element that marks it: "ins" if `base` lacks it, "del" if only `base` has it."""
    if not base or not text:
        return [(text, "")]
    return [(piece, _ELEMENTS[sign]) for sign, piece in diff_words(base, text)]


def _legend(batch: Batch) -> str:
    if batch.base is None or not batch.is_complete:
        return ""
    line = f"Compared with {batch[batch.base].label}: underlined words are new, struck-out words are missing."
    return f'<p class="{NO_MATH}"><small>{html.escape(printable(line))}</small></p>'


def _results_to_html(results: Results, *, times: bool) -> str:
    rows: list[list[str | Cell]] = []
    for row in results.preview():
        finish, tokens, _ = row.figures()
        text = Cell([(one_line(row.text, _MAX_CELL), "")], row.failure, fold=_fold(row, results), note=row.note)
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

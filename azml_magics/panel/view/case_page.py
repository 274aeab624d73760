"""One page of the test cases as an HTML table: values, how each case ended, and the beginning of its answer."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from azml_magics.core.text import one_line, printable
from azml_magics.display.table import NO_MATH
from azml_magics.display.value_html import json_text

from ..model.case_editor import PAGE
from ..model.cases import describe_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.evaluation.outcome import Score
    from azml_magics.rows.table_rows import TableRow

    from ..model.cases import Cases

_MAX_VALUE = 80  # characters of a value
_MAX_ANSWER = 200


def page_html(cases: Cases) -> str:
    """Return the page with the selected case; all texts in it are escaped. "" without cases."""
    if not len(cases.table):
        return ""
    first = cases.selected // PAGE * PAGE
    shown = range(first, min(first + PAGE, len(cases.table)))
    run = cases.run
    fields = run.fields if run is not None else ()
    answers = (*fields, "answer") if run is not None else ()
    headings = ("case", *cases.table.columns, *(("status", *answers) if run is not None else ()))
    head = "".join(f'<th scope="col">{_escape(name, _MAX_VALUE)}</th>' for name in headings)
    rows = "".join(_row(cases, position, len(fields)) for position in shown)
    return f'<table class="{NO_MATH}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(cases: Cases, position: int, fields: int) -> str:
    number = position + 1
    is_selected = position == cases.selected
    current = ' aria-current="true"' if is_selected else ""
    name = f"Case {number}"
    button = f'<button type="button" title="Show case {number}" aria-label="{name}"{current}>{number}</button>'
    cells = [_cell(value) for value in cases.table.rows[position]]
    if cases.run is not None:
        cells += _outcome(cases, position, fields)
    mark = ' class="azml-selected"' if is_selected else ""
    return f'<tr data-azml-case="{number}"{mark}><td>{button}</td>{"".join(cells)}</tr>'


def _outcome(cases: Cases, position: int, fields: int) -> list[str]:
    row, run = cases.row_at(position), cases.run
    if row is None or not row.was_sent:
        is_waiting = run is not None and run.is_running and position < len(run.table)
        return [_cell("waiting" if is_waiting else "not sent"), *[_cell("")] * (fields + 1)]
    failure, score = describe_failure(row), cases.scores().scores.get(position)
    if failure:
        return [_cell("✗ failed"), *[_cell("")] * fields, _cell(failure, _MAX_ANSWER, "azml-bad")]
    values = [_cell(value) for value in _field_texts(row, fields)]
    return [_cell(_status_of(score)), *values, _cell(answer_of(row), _MAX_ANSWER)]


def _status_of(score: Score | None) -> str:
    if score is None:
        return "✓ done"
    return "? not compared" if score.value is None else "✓ right" if score.value else "✗ wrong"


def answer_of(row: TableRow) -> str:
    """Return a row's text, or what it has in place of one."""
    calls = row.response.tool_calls if row.response else ()
    names = ", ".join(str((call.get("function") or {}).get("name", "?")) for call in calls)
    return row.text or (f"calls {names}" if names else "")


def _field_texts(row: TableRow, fields: int) -> Sequence[str]:
    values = (*row.fields, *[None] * fields)[:fields]
    return ["" if value is None else value if isinstance(value, str) else json_text(value) for value in values]


def _cell(text: str, most: int = _MAX_VALUE, style: str = "") -> str:
    marked = f' class="{style}"' if style else ""
    return f"<td{marked}>{_escape(text, most)}</td>"


def _escape(text: str, most: int) -> str:
    return html.escape(printable(one_line(text[: 4 * most], most)))

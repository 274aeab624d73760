"""The one HTML table: everything in it is escaped, and Jupyter's right alignment is overridden."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALIGN = "text-align:left;vertical-align:top"
_QUIET = "opacity:0.75"
_ERROR = "border-left:3px solid #d32f2f;padding-left:6px"  # the text keeps its colour, for a light and a dark theme

NO_MATH = "tex2jax_ignore mathjax_ignore"
"""The classes of an element in which MathJax and KaTeX look for no mathematics: $5 and $6 in a cell is money."""


class Fold(NamedTuple):
    """A text that a reader unfolds by a click on its summary."""

    summary: str
    text: str
    is_open: bool = False


class Cell(NamedTuple):
    """One cell of an HTML table.

    Attributes:
        text: Pieces of the text, each with the HTML element that marks it: "mark", "ins" or "del"; "" for none.
        error: A failure, shown with a red edge below the text.
        white_space: The CSS property, for example "pre-wrap" or "nowrap"; "" for the browser's default.
        fold: What can be unfolded above the text; None for nothing.
        note: A quiet line below the text; "" for none.
    """

    text: Sequence[tuple[str, str]]
    error: str = ""
    white_space: str = ""
    fold: Fold | None = None
    note: str = ""


def html_table(
    headings: Sequence[str], rows: Sequence[Sequence[str | Cell]], *, style: str = "", scope: str = ""
) -> str:
    """An HTML table with all texts escaped.

    Args:
        headings: The texts of the heading line; no heading line if there are none or all are empty.
        rows: The cells of each row.
        style: CSS of the table.
        scope: What a heading is for, "col" or "row"; "" leaves it to the browser.
    """
    th = f'th scope="{scope}"' if scope else "th"
    head = f"<tr>{''.join(_cell(th, heading) for heading in headings)}</tr>" if any(headings) else ""
    body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in rows)
    styled = f' style="{style}"' if style else ""
    return f'<table class="{NO_MATH}"{styled}><thead>{head}</thead><tbody>{body}</tbody></table>'


def _escape(text: str) -> str:
    """The text as HTML on one line: in a Markdown file a blank line would end the table, and GitHub drops styles."""
    return html.escape(printable(text)).replace("\n", "<br>")


def _cell(tag: str, cell: str | Cell) -> str:
    if isinstance(cell, str):
        cell = Cell([(cell, "")])
    style = f"{_ALIGN};white-space:{cell.white_space}" if cell.white_space else _ALIGN
    pieces = [_mark(mark, _escape(text)) for text, mark in cell.text]
    if cell.fold:
        body = f'<div style="white-space:pre-wrap">{_escape(cell.fold.text)}</div>'
        opened = " open" if cell.fold.is_open else ""
        summary = f"<summary>{_escape(cell.fold.summary)}</summary>"
        pieces.insert(0, f'<details{opened} style="{_QUIET}">{summary}{body}</details>')
    if cell.note:
        pieces.append(f'<div style="{_QUIET}">{_escape(cell.note)}</div>')
    if cell.error:
        pieces.append(f'<div style="{_ERROR}">{_escape(cell.error)}</div>')
    return f'<{tag} style="{style}">{"".join(pieces)}</{tag.partition(" ")[0]}>'


def _mark(element: str, escaped: str) -> str:
    return f"<{element}>{escaped}</{element}>" if element else escaped


@dataclass(frozen=True)
class TableOutput:
    """A table as a cell's result: aligned text and escaped HTML.

    Attributes:
        headings: One text for each column; all empty for a table without a heading line.
        rows: The texts of each row, as many as there are headings.
        note: Lines below the table, "" for none.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __repr__(self) -> str:
        rows = [[printable(" ".join(cell.splitlines())) for cell in row] for row in (self.headings, *self.rows)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.headings))]
        with_headings = rows if any(self.headings) else rows[1:]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in with_headings]
        return "\n".join(line.rstrip() for line in (*lines, *([printable(self.note)] if self.note else [])))

    def to_bundle(self) -> dict[str, str]:
        """The table as a mime bundle: aligned text and escaped HTML."""
        note = f"<p>{'<br>'.join(map(_escape, self.note.splitlines()))}</p>" if self.note else ""
        return {"text/plain": repr(self), "text/html": html_table(self.headings, self.rows) + note}

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return self.to_bundle()

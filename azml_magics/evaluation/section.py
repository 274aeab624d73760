"""Section: a titled table of an evaluation, as text, HTML, Markdown and data for our viewer."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.text import one_line, printable, printable_data
from ..display.mime import RESPONSE_MIME
from ..display.table import NO_MATH, TableOutput, html_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAX_TEXT_CELL = 60  # characters of a cell in the text: a longer one would break a terminal's lines
_MARKDOWN = re.compile(r"([\\`*_\[\]<>$|~#])")


class Cell(NamedTuple):
    """A value of a section's table and how it is written.

    Attributes:
        value: What it is sorted by: a number as such, None for an empty cell.
        text: How it is written.
    """

    value: str | float | None
    text: str

    @classmethod
    def of(cls, value: str | int | None) -> Cell:
        """Return the cell of a text or a count; "" is an empty cell."""
        if isinstance(value, int):
            return cls(value, f"{value:,}")
        return cls(value or None, value or "")


@dataclass(frozen=True)
class Section:
    """A table with a title, and a line above and below it.

    Attributes:
        title: The title; "" for none.
        headings: A text for each column.
        rows: The cells of each row.
        lead: A line above the table; "" for none.
        note: A line below the table; "" for none.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    lead: str = ""
    note: str = ""

    @classmethod
    def of(
        cls, title: str, lines: Sequence[dict[str, Cell]], *, always: Sequence[str] = (), lead: str = "", note: str = ""
    ) -> Section:
        """Return the section of some lines, without the columns that are empty in all of them.

        Args:
            title: The title.
            lines: The cells of each row by their headings; all have the same ones.
            always: Headings of columns that stay even if they are empty.
            lead: A line above the table.
            note: A line below the table.
        """
        names = lines[0] if lines else ()
        shown = [name for name in names if name in always or any(line[name].text for line in lines)]
        return cls(title, shown, [[line[name] for name in shown] for line in lines], lead, note)

    def __repr__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return aligned text."""
        cells = [[one_line(cell.text, _MAX_TEXT_CELL) for cell in row] for row in self.rows]
        table = repr(TableOutput(self.headings, cells)) if self.rows else ""
        title = f"{self.title}\n{'-' * len(self.title)}" if self.title else ""
        return printable("\n".join(filter(None, [title, self.lead, table, self.note])))

    def to_html(self) -> str:
        """Return an HTML heading and table, all texts escaped."""
        title = f"<p><strong>{_escape(self.title)}</strong></p>" if self.title else ""  # a heading would be in the TOC
        table = html_table(self.headings, [[cell.text for cell in row] for row in self.rows]) if self.rows else ""
        return f"{title}{_paragraph(self.lead)}{table}{_paragraph(self.note)}"

    def to_markdown(self) -> str:
        """Return a Markdown heading and table, as GitHub and pandoc read them; all texts are literal."""
        head = [[escape_markdown(name) for name in self.headings], ["---"] * len(self.headings)]
        rows = [[escape_markdown(cell.text) for cell in row] for row in self.rows]
        table = "\n".join(f"| {' | '.join(row)} |" for row in [*head, *rows]) if self.rows else ""
        title = f"**{escape_markdown(self.title)}**" if self.title else ""
        return "\n\n".join(filter(None, [title, escape_markdown(self.lead), table, escape_markdown(self.note)]))

    def to_document(self) -> dict[str, Any]:
        """Return the table as data of `RESPONSE_MIME`."""
        rows = [
            {"setting": {name: cell.value for name, cell in cells if cell.value is not None}}
            for cells in (list(zip(self.headings, row, strict=True)) for row in self.rows)
        ]
        document = {"title": self.title, "columns": list(self.headings), "rows": rows}
        document |= {"summary": self.lead, "rest": self.note}
        return {name: value for name, value in printable_data(document).items() if value or name == "rows"}

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sections_bundle([self])


def sections_to_text(sections: Iterable[Section]) -> str:
    """Return the sections as text, a blank line between them."""
    return "\n\n".join(section.to_text() for section in sections)


def sections_to_markdown(sections: Iterable[Section]) -> str:
    """Return the sections as Markdown."""
    return "\n\n".join(section.to_markdown() for section in sections) + "\n"


def sections_bundle(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what shows the sections: text, HTML, and data for our viewer, which can sort every table.

    The first section is the document's own table, so that a viewer that knows one table alone shows that one.
    """
    first, *others = sections
    document: dict[str, Any] = {"version": 1, **first.to_document()}
    if others:
        document["sections"] = [section.to_document() for section in others]
    return {
        "text/plain": sections_to_text(sections),
        "text/html": "".join(section.to_html() for section in sections),
        RESPONSE_MIME: document,
    }


def escape_markdown(text: str) -> str:
    """Return text on one line in which Markdown, HTML and mathematics are literal."""
    return _MARKDOWN.sub(r"\\\1", one_line(text, 10_000)).replace("&", "&amp;")


def _escape(text: str) -> str:
    return html.escape(printable(text)).replace("\n", "<br>")


def _paragraph(text: str) -> str:
    return f'<p class="{NO_MATH}">{_escape(text)}</p>' if text else ""

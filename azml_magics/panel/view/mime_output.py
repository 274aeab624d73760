"""Output widgets that show one mime bundle each, and the bundles for code and tables.

Model text goes only into places that do not run it: inert Markdown, fenced code, escaped tables.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from azml_magics.display.markdown import fence_code

from .controls import set_traits

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SHOWN = 100_000  # characters of one text that a browser is given


def display_output(bundle: dict[str, str]) -> dict[str, Any]:
    """A mime bundle as the output of an Output widget."""
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def truncate(text: str) -> str:
    """The text, or its first part if a browser would stall on it."""
    if len(text) <= MAX_SHOWN:
        return text
    return f"{text[:MAX_SHOWN]}\n\n… {len(text) - MAX_SHOWN:,} more characters. `%azureml last` shows all of it."


def code_bundle(text: str, language: str) -> dict[str, str]:
    """A program or a message as highlighted code."""
    text = truncate(text)
    return {"text/plain": text, "text/markdown": fence_code(text.rstrip("\n"), language)}


def table_bundle(headings: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """A table as text and as HTML; all cells are escaped."""

    def html_row(tag: str, cells: Sequence[str]) -> str:
        inside = "".join(f'<{tag} style="text-align:left">{html.escape(cell)}</{tag}>' for cell in cells)
        return f"<tr>{inside}</tr>"

    body = "".join([*(html_row("th", cells) for cells in headings), *(html_row("td", cells) for cells in rows)])
    plain = "\n".join("  ".join(cells) for cells in (*headings, *rows))
    return {"text/plain": plain, "text/html": f"<table>{body}</table>"}


class MimeOutput:
    """A place for one mime bundle."""

    def __init__(self) -> None:
        self.widget = w.Output()
        self.widget.add_class("azml-page")

    def show(self, bundle: dict[str, str]) -> None:
        """Replace the bundle; an empty one clears the place."""
        set_traits(self.widget, outputs=(display_output(bundle),) if bundle else ())

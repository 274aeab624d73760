"""Output widgets that show one mime bundle each, and the bundle for code.

Model text goes only into places that do not run it: inert Markdown, fenced code, escaped tables.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from azml_magics.core.text import printable
from azml_magics.display.markdown import fence_code

from .controls import set_traits

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
    text = printable(truncate(text))
    return {"text/plain": text, "text/markdown": fence_code(text.rstrip("\n"), language)}


class MimeOutput:
    """A place for one mime bundle."""

    def __init__(self, *classes: str) -> None:
        self.widget = w.Output(_dom_classes=("azml-page", *classes))

    def show(self, bundle: dict[str, str]) -> None:
        """Replace the bundle; an empty one clears the place."""
        set_traits(self.widget, outputs=(display_output(bundle),) if bundle else ())

"""What pages take from the source: the tables of options and formatters, the help of verbs, and the error codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.notebook import help_text
from azml_magics.notebook.verbs import VERBS

from . import error_codes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill in the pages as they are read."""
    app.connect("env-get-outdated", generated_pages)
    app.connect("source-read", on_source_read)
    return {"parallel_read_safe": True}


def generated_pages(*_event: object) -> list[str]:
    """Return the pages that are read in every build: the source that they come from may have changed."""
    return ["reference/commands", "reference/errors", "tutorials/index"]


def on_source_read(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Fill in what is generated. Tables are in the pages, too, for readers of the repository; here they are fresh."""
    source[0] = help_text.refresh_tables(source[0]).replace("<!-- verbs -->", help_of_verbs())
    if "<!-- error codes -->" in source[0]:
        source[0] = source[0].replace("<!-- error codes -->", error_codes.tables())


def help_of_verbs() -> str:
    """Every verb of %azureml with its options, as %azureml help shows it."""
    return "\n\n".join(f"### {name}\n\n```text\n{help_text.verb_help(name)}\n```" for name in VERBS)

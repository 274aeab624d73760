"""What a cell makes of its response: its format, a variable, the next cell, or the request of a dry run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from azml_magics.core.prompt import extract
from azml_magics.display.text_output import TextOutput

from . import publishing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response

    from .context import NotebookContext
    from .parsed_options import CellOptions


def parse_format(response: Response, format: str) -> Response:  # noqa: A002 - the option's own name
    """Return the response in a format, with the code or the JSON value that it holds in `parsed`.

    Text that is not JSON is kept and shown as Markdown, and a warning says so.
    """
    if format == "code":
        return replace(response, format=format, parsed=extract.find_code(response.text).text)
    if format == "json":
        try:
            return replace(response, format=format, parsed=extract.find_json(response.text))
        except extract.NoJsonError as error:
            publishing.print_warning(f"{error.cause}; it is kept as text.")
            return replace(response, format="markdown")
    return replace(response, format=format)


def reasoning_mode(context: NotebookContext, options: CellOptions) -> str:
    """How the cell shows the model's thoughts: one of `options.REASONING`."""
    if options.hide_reasoning:
        return "hidden"
    return "open" if options.show_reasoning else context.settings.show_reasoning


def store_response(context: NotebookContext, options: CellOptions, response: Response) -> Response | None:
    """Store the response in the variable of -o, put its code into the next cell, and return what the cell shows.

    Returns:
        The response, or None with --quiet.
    """
    if options.output:
        context.store(options.output, response)
    if options.insert and isinstance(response.parsed, str):
        context.shell.set_next_input(response.parsed, replace=False)
    return None if options.quiet else response


def show_request(config: LLMConfig, messages: Sequence[Message], *, stream: bool) -> TextOutput:
    """Return the exact request as text, its key masked. Nothing is sent, and the key is not looked up."""
    from azml_magics import codegen

    return TextOutput(codegen.format_request(config, messages, stream=stream))

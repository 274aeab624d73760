"""A response that is more than text: the object of a schema as a table, and the calls of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.prompt.schema import parsed_data
from azml_magics.core.text import printable
from azml_magics.display.markdown import make_inert
from azml_magics.display.value_html import json_fold, json_text, tool_calls_to_html, value_to_html

from .mime_output import MAX_SHOWN, code_bundle, truncate

if TYPE_CHECKING:
    from azml_magics.core.response import Response


def object_bundle(response: Response) -> dict[str, str] | None:
    """Return the object of a response's schema as a table above its JSON; None if there is none."""
    if response.format != "json" or response.parsed is None:
        return None
    value = parsed_data(response.parsed)
    page = value_to_html(value) + json_fold(value)
    if len(page) > MAX_SHOWN:  # a table of that size stalls the browser
        return code_bundle(json_text(value, indent=2), "json")
    return {"text/plain": printable(json_text(value, indent=2)), "text/html": page}


def tool_calls_bundle(response: Response) -> dict[str, str] | None:
    """Return the text of a response with the tools that it calls below it; None if it calls none."""
    if not response.tool_calls:
        return None
    calls = tool_calls_to_html(response.tool_calls)
    names = ", ".join(str((call.get("function") or {}).get("name", "?")) for call in response.tool_calls)
    text = truncate(response.text)
    shown = [make_inert(text), calls if len(calls) <= MAX_SHOWN else ""]
    plain = "\n\n".join(filter(None, [text, f"The model calls {names}."]))
    return {"text/plain": printable(plain), "text/markdown": "\n\n".join(filter(None, shown))}

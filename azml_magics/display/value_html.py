"""JSON data as nested HTML tables: the object of a schema, and the tool calls of a response."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from ..core.text import printable
from .table import NO_MATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CELL = "text-align:left;vertical-align:top"
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere"
_QUIET = "opacity:0.75"
_TABLE = "margin:0"  # a table in a table needs no space around it
_DEEPEST = 8  # tables in tables; what is deeper is shown as JSON


def value_to_html(value: Any) -> str:
    """Return JSON data as HTML: an object as a table of its fields, a list of objects as one row for each.

    Args:
        value: What JSON can hold. All texts in it are escaped.
    """
    return f'<div class="{NO_MATH}">{_to_html(value, 0)}</div>'


def json_fold(value: Any, summary: str = "JSON") -> str:
    """Return JSON data as text that a reader unfolds."""
    return (
        f'<details style="{_QUIET}"><summary>{html.escape(summary)}</summary>'
        f'<pre class="{NO_MATH}" style="{_TEXT}">{_escape(json_text(value, indent=2))}</pre></details>'
    )


def tool_calls_to_html(calls: Iterable[Mapping[str, Any]]) -> str:
    """Return the tool calls of a response as HTML: the name of each, and its arguments as a table.

    Args:
        calls: The calls in OpenAI's form. Arguments that are not JSON are shown as they came.
    """
    return "".join(_call_to_html(call) for call in calls)


def _call_to_html(call: Mapping[str, Any]) -> str:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    given = function.get("arguments", "")
    try:
        arguments = json.loads(given) if isinstance(given, str) and given else given
    except (ValueError, RecursionError):
        arguments = given
    ident = f' <small style="{_QUIET}">{_escape(str(call["id"]))}</small>' if call.get("id") else ""
    shown = value_to_html(arguments) if arguments not in ("", {}) else f'<span style="{_QUIET}">no arguments</span>'
    name = _escape(str(function.get("name") or "?"))
    return f'<div class="{NO_MATH}"><p><strong>{name}</strong>{ident}</p>{shown}</div>'


def _to_html(value: Any, depth: int) -> str:
    if depth >= _DEEPEST and isinstance(value, dict | list):
        return f'<code style="{_TEXT}">{_escape(json_text(value))}</code>'
    if isinstance(value, dict):
        return _object(value, depth) if value else _plain("{}")
    if isinstance(value, list):
        return _list(value, depth) if value else _plain("[]")
    return _plain(value) if isinstance(value, str) else f"<code>{_escape(json_text(value))}</code>"


def _plain(text: str) -> str:
    return f'<span style="{_TEXT}">{_escape(text)}</span>'


def _object(value: Mapping[str, Any], depth: int) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL}">{_escape(str(name))}</th>'
        f'<td style="{_CELL}">{_to_html(inner, depth + 1)}</td></tr>'
        for name, inner in value.items()
    )
    return f'<table style="{_TABLE}"><tbody>{rows}</tbody></table>'


def _list(value: Sequence[Any], depth: int) -> str:
    if all(isinstance(item, dict) and item for item in value):
        return _rows(value, depth)
    items = "".join(f"<li>{_to_html(item, depth + 1)}</li>" for item in value)
    return f'<ul style="margin:0;padding-left:1.4em">{items}</ul>'


def _rows(value: Sequence[Mapping[str, Any]], depth: int) -> str:
    """Objects as the rows of one table, with a column for every name in one of them."""
    names = list(dict.fromkeys(name for row in value for name in row))
    head = "".join(f'<th scope="col" style="{_CELL}">{_escape(str(name))}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL}">{_to_html(row[name], depth + 1) if name in row else ""}</td>' for name in names)
        + "</tr>"
        for row in value
    )
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON data as text; what JSON cannot hold as its `str()`."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _escape(text: str) -> str:
    """The text as HTML on one line: within Markdown a blank line would end the element."""
    return html.escape(printable(text)).replace("\n", "&#10;")

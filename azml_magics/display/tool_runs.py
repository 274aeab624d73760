"""Calls of tools and their results: one foldable line for each, above the response that they led to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core.response import as_tool_run
from ..core.text import one_line
from .reasoning import inert_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.response import Response, ToolRun

_MAX_CALL = 120  # characters of a call on its line
_MAX_RESULT = 80  # characters of a result on its line
LONGEST_RESULT = 20_000  # characters of a result that a click unfolds
_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:0 0 0 8px;border-left:3px solid #8886"
_GREY = "opacity:0.75"


def format_call(run: ToolRun, longest: int = _MAX_CALL) -> str:
    """Return a call as Python writes it, such as `get_sales(region="North", year=2024)`, on one line."""
    return one_line(f"{run.name or '?'}({_format_arguments(run.arguments)})", longest)


def format_run(run: ToolRun) -> str:
    """Return a call and its result on one line, such as `get_sales(region="North") → {"total": 1200}`."""
    if run.result is None:
        return f"{format_call(run)} …"
    return f"{format_call(run)} {_arrow(run)} {_short_result(run)}"


def fold_run(run: ToolRun, *, is_open: bool = False) -> str:
    """Return a call and its result as an HTML element on one line, which a click unfolds.

    Args:
        run: The call. Without a result the element says that the tool runs.
        is_open: Whether it is unfolded at first.
    """
    opened = " open" if is_open else ""
    result = "no result" if run.result is None else run.result
    shown = result if len(result) <= LONGEST_RESULT else f"{result[:LONGEST_RESULT]}…"
    body = f"{format_call(run, LONGEST_RESULT)}\n\n{shown}"
    return (
        f'<details{opened} style="{_GREY}"><summary>{inert_html(format_run(run))}</summary>'
        f'<pre style="{_PRE}">{inert_html(body)}</pre></details>'
    )


def fold_steps(response: Response) -> str:
    """Return the steps before a response as HTML on one line: what the model wrote, and its calls; "" without steps."""
    runs = {run.id: run for run in response.tool_runs}
    parts: list[str] = []
    for message in response.steps:
        if text := _text_of(message):
            parts.append(f"<p>{inert_html(text)}</p>")
        parts += [fold_run(runs[call["id"]]) for call in message.get("tool_calls") or () if call.get("id") in runs]
    return "".join(parts)


def steps_data(response: Response) -> list[dict[str, Any]]:
    """Return the steps before a response as JSON data for our viewer: objects with a text, or with a call."""
    runs = {run.id: run for run in response.tool_runs}
    data: list[dict[str, Any]] = []
    for message in response.steps:
        if text := _text_of(message):
            data.append({"text": text})
        for run in (runs[call["id"]] for call in message.get("tool_calls") or () if call.get("id") in runs):
            shown = {"line": format_run(run), "call": format_call(run, LONGEST_RESULT), "result": run.result or ""}
            data.append({**shown, **({"is_error": True} if run.is_error else {})})
    return data


def asked_calls(response: Response) -> list[str]:
    """Return the calls that a response asks for, each as Python writes it."""
    return [format_call(as_tool_run(call)) for call in response.tool_calls]


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if message.get("role") == "assistant" and isinstance(content, str) else ""


def _arrow(run: ToolRun) -> str:
    return "✗" if run.is_error else "→"


def _short_result(run: ToolRun) -> str:
    return one_line((run.result or "").removeprefix("Error: "), _MAX_RESULT) or '""'


def _format_arguments(text: str) -> str:
    try:
        given = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return text
    if not isinstance(given, dict):
        return text
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())

"""Tool calls and their results above a response: one line each, which a click unfolds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..core.text import one_line, printable
from .reasoning import inert_html

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.tool_steps import ToolStep

_MAX_CALL = 100  # characters of a call in its line
_MAX_RESULT = 120  # characters of a result in its line
_LONGEST = 20_000  # characters of arguments or of a result that can be unfolded
_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:0 0 0 8px;border-left:3px solid #8886"
_GREY = "opacity:0.75"


def step_line(step: ToolStep) -> str:
    """Return a call and its result as one line, such as `get_weather(place="Lisbon") → 21 °C`."""
    return f"{call_text(step)} → {result_text(step)}"


def call_text(step: ToolStep) -> str:
    """Return a call as short text, such as `get_weather(place="Lisbon")`."""
    arguments = _read_arguments(step.arguments)
    if isinstance(arguments, dict):
        shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    else:
        shown = step.arguments
    return f"{one_line(step.name or '?', _MAX_CALL)}({one_line(shown, _MAX_CALL)})"


def result_text(step: ToolStep) -> str:
    """Return a result as short text: "…" as long as there is none."""
    if step.result is None:
        return "…"
    shown = one_line(step.result, _MAX_RESULT) or "(nothing)"
    return f"failed: {shown}" if step.is_error else shown


def steps_html(steps: Iterable[ToolStep]) -> str:
    """Return steps as HTML on one line, each as an element that a click unfolds; "" without steps."""
    return "".join(_said(step) + _element(step) for step in steps)


def _said(step: ToolStep) -> str:
    return f'<div style="{_GREY}">{inert_html(step.said.strip())}</div>' if step.said.strip() else ""


def _element(step: ToolStep) -> str:
    summary = f"<code>{inert_html(call_text(step))}</code> → {inert_html(result_text(step))}"
    parts = [_indented(step.arguments), step.result or ""]
    inside = "".join(f'<pre style="{_PRE}">{inert_html(_cut(part.strip()))}</pre>' for part in parts if part.strip())
    return f'<details style="{_GREY}"><summary>{summary}</summary>{inside}</details>'


def _read_arguments(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _indented(arguments: str) -> str:
    value = _read_arguments(arguments)
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) and value else ""


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

"""Tool calls, whole and in fragments, as OpenAI-style `{"id", "type", "function": {"name", "arguments"}}` dicts."""

from __future__ import annotations

import json
from typing import Any

from .json_body import as_text


def normalize_tool_calls(calls: Any) -> tuple[dict[str, Any], ...]:
    """Return the tool calls in a list, or fragments of them.

    Arguments that are an object become JSON text, an id that is a number becomes text.
    """
    return tuple(_normalize(call) for call in calls if isinstance(call, dict)) if isinstance(calls, list) else ()


def from_function_call(function: Any) -> tuple[dict[str, Any], ...]:
    """Return the legacy `function_call` of a message, or a fragment of it, as a tool call; () if it is not one."""
    if not isinstance(function, dict) or not function:
        return ()
    return normalize_tool_calls([{"index": 0, "type": "function", "function": function}])


def _normalize(call: dict[str, Any]) -> dict[str, Any]:
    ident, function = call.get("id"), call.get("function")
    if isinstance(ident, int) and not isinstance(ident, bool):
        call = {**call, "id": str(ident)}
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if arguments is None or isinstance(arguments, str):
        return call
    return {**call, "function": {**call["function"], "arguments": as_text(arguments)}}


class ToolCallBuilder:
    """Puts the streamed fragments of tool calls together.

    A fragment belongs to the last call of its index; without an index, to the call of its id or else to the last one.
    Another id begins another call, also under the same index, as does a name after a call whose arguments are whole.
    """

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._by_index: dict[int, dict[str, Any]] = {}

    def add(self, fragment: dict[str, Any]) -> int:
        """Append a fragment to the call that it belongs to, and return that call's position."""
        index, ident = fragment.get("index"), fragment.get("id")
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        index = index if isinstance(index, int) else None
        ident = ident if isinstance(ident, str) else ""
        call = self._find(index, ident, function)
        if call is None:
            call = {"type": "function", "function": {"name": "", "arguments": ""}}
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if ident:
            call["id"] = ident
        known = call["function"]
        known["name"] = known["name"] or _text(function.get("name"))
        known["arguments"] += _text(function.get("arguments"))
        return next(position for position, each in enumerate(self._calls) if each is call)

    def _find(self, index: int | None, ident: str, function: dict[str, Any]) -> dict[str, Any] | None:
        """Return the call that a fragment continues; None if it begins a new one."""
        if index is None and ident:
            return next((call for call in self._calls if call.get("id") == ident), None)
        call = self._by_index.get(index) if index is not None else self._calls[-1] if self._calls else None
        if call is None or (ident and call.get("id", ident) != ident):
            return None
        if index is None and _text(function.get("name")) and _is_json(call["function"]["arguments"]):
            return None
        return call

    @property
    def tool_calls(self) -> tuple[dict[str, Any], ...]:
        """The calls so far, in order."""
        return tuple(self._calls)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

"""Checks of OpenAI-style bodies, with the error bodies of the model catalogue's server (422, "invalid input error")."""

from __future__ import annotations

import math
from typing import Any

from azml_magics.emulator.asking import DEFAULT_MAX_TOKENS, LIMITS, Settings
from azml_magics.emulator.reply import Reply

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_MOST = 200_000


class Invalid(Exception):
    """A body that is refused; `reply` says so to the client."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def invalid(kind: str, loc: list[Any], message: str, given: Any) -> Invalid:
    """The 422 for one wrong place in a body: `loc` is the path to it."""
    detail = {"type": kind, "loc": ["body", *loc], "msg": message, "input": _shown(given)}
    error = {"code": "Invalid input", "status": 422, "message": "invalid input error", "details": [detail]}
    return Invalid(Reply.fastapi({"error": error}, 422))


def bad_request(message: str, code: str = "Bad Request") -> Invalid:
    """A 400 of the model catalogue's server."""
    return Invalid(Reply.fastapi({"error": {"code": code, "message": message, "status": 400}}, 400))


def _shown(value: Any) -> Any:
    """`value` when it is small and plain, else a shortened form: an error does not send a whole body back."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)[:200]


def number(body: dict[str, Any], name: str, low: float, high: float) -> float | None:
    """body[name] as a float within [low, high], None when absent; numbers in strings pass, as in pydantic."""
    value = body.get(name)
    if value is None:
        return None
    try:
        found = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if math.isnan(found):
        raise invalid("float_parsing", [name], "Input should be a valid number", value)
    if not low <= found <= high:
        edge = f"greater than or equal to {low:g}" if found < low else f"less than or equal to {high:g}"
        raise invalid(
            "greater_than_equal" if found < low else "less_than_equal", [name], f"Input should be {edge}", value
        )
    return found


def integer(body: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """body[name] as an int within [low, high], None when absent."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and not value.strip().lstrip("+-").isdecimal():
        raise invalid(
            "int_parsing", [name], "Input should be a valid integer, unable to parse string as an integer", value
        )
    found = number(body, name, low, high)
    if found is None or found != int(found):
        raise invalid("int_from_float", [name], "Input should be a valid integer", value)
    return int(found)


def boolean(body: dict[str, Any], name: str) -> bool:
    """body[name] as a bool, False when absent; "True" passes, as several Microsoft samples send it."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise invalid("bool_parsing", [name], "Input should be a valid boolean, unable to interpret input", value)


def stops(body: dict[str, Any]) -> tuple[str, ...]:
    """The stop strings: a string, or a list of strings."""
    value = body.get("stop")
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(mark, str) for mark in value):
        return tuple(value)
    raise invalid("string_type", ["stop"], "Input should be a valid string or list of strings", value)


def settings(body: dict[str, Any], default_limit: int | None = DEFAULT_MAX_TOKENS) -> Settings:
    """The checked settings of an OpenAI-style body."""
    limits = [limit for name in LIMITS if (limit := integer(body, name, 1, 10_000_000)) is not None]
    most = limits[0] if limits else default_limit
    least = integer(body, "min_tokens", 0, _MOST) or 0
    if boolean(body, "ignore_eos"):
        least = max(least, min(most or 0, _MOST))
    penalties = [number(body, name, -2, 2) or 0.0 for name in ("frequency_penalty", "presence_penalty")]
    top_p = number(body, "top_p", 0, 1)
    return Settings(
        max_tokens=most,
        min_tokens=least,
        stop=stops(body),
        temperature=number(body, "temperature", 0, 2) or 0.0,
        top_p=1.0 if top_p is None else top_p,
        seed=integer(body, "seed", -(2**63), 2**64),
        penalties=tuple(penalties),
    )


def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a chat body, their shape checked."""
    found = body.get("messages")
    if found is None:
        raise invalid("missing", ["messages"], "Field required", body)
    if not isinstance(found, list):
        raise invalid("list_type", ["messages"], "Input should be a valid list", found)
    if not found:
        raise invalid("too_short", ["messages"], "List should have at least 1 item after validation, not 0", found)
    for at, message in enumerate(found):
        if not isinstance(message, dict):
            raise invalid("dict_type", ["messages", at], "Input should be a valid dictionary", message)
        if message.get("role") not in ROLES:
            raise invalid(
                "enum",
                ["messages", at, "role"],
                "Input should be 'system', 'user', 'assistant' or 'tool'",
                message.get("role"),
            )
        _check_content(message, at)
    return found


def _check_content(message: dict[str, Any], at: int) -> None:
    content = message.get("content")
    if content is None and (message["role"] == "assistant" or message.get("tool_calls")):
        return
    parts = content if isinstance(content, list) else []
    good = isinstance(content, str | list) and all(
        isinstance(part, str) or (isinstance(part, dict) and isinstance(part.get("type"), str)) for part in parts
    )
    if not good:
        raise invalid(
            "string_type",
            ["messages", at, "content"],
            "Input should be a valid string or list of content parts",
            content,
        )


def tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The `function` objects of the body's tools, their shape checked; [] without tools."""
    found = body.get("tools")
    if found is None:
        return []
    if not isinstance(found, list):
        raise invalid("list_type", ["tools"], "Input should be a valid list", found)
    functions = []
    for at, tool in enumerate(found):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise invalid("missing", ["tools", at, "function", "name"], "Field required", tool)
        if not isinstance(function.get("parameters", {}), dict):
            raise invalid(
                "dict_type", ["tools", at, "function", "parameters"], "Input should be a valid dictionary", tool
            )
        functions.append(function)
    return functions

"""What a Runnable returns, or a piece of it: a text, a message, or any object, in parts of a Response."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, RunnableError
from ..core.response import Usage
from ..core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_THOUGHTS = {"reasoning", "thinking"}  # types of content parts
_COUNTS = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
_MAX_DEPTH = 20
_CONNECTION_ERRORS = {"ConnectionError", "TimeoutError", "APIConnectionError", "TransportError"}


def is_text(output: Any) -> bool:
    """Whether it is a text or a message."""
    return isinstance(output, str) or hasattr(output, "content")


def piece_text(piece: Any) -> str:
    """Return the text of a piece: a str, a message's content, a prompt's messages, or an object as JSON."""
    if isinstance(piece, str):
        return piece
    content = getattr(piece, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    if callable(getattr(piece, "to_string", None)):
        return str(piece.to_string())
    if callable(getattr(piece, "model_dump_json", None)):
        return str(piece.model_dump_json(indent=2))
    try:
        return json.dumps(piece, ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        return str(piece)


def reasoning_text(piece: Any) -> str:
    """The thoughts in a piece of a message: those of `additional_kwargs`, or its content parts of that type."""
    extra = getattr(piece, "additional_kwargs", None)
    said = extra.get("reasoning_content") if isinstance(extra, dict) else None
    if isinstance(said, str):
        return said
    content = getattr(piece, "content", None)
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(str(part.get(str(part.get("type"))) or "") for part in parts if part.get("type") in _THOUGHTS)


def message_facts(message: Any) -> dict[str, Any]:
    """Return the fields of a Response that a message tells besides its text; those of no message are unset."""
    metadata = getattr(message, "response_metadata", None) or {}
    return {
        "usage": sum_usage([message]),
        "finish_reason": metadata.get("finish_reason"),
        "model": str(metadata.get("model_name") or ""),
        "tool_calls": tuple(tool_call_to_wire(call) for call in getattr(message, "tool_calls", None) or ()),
        "items": tuple((getattr(message, "additional_kwargs", None) or {}).get("items") or ()),  # of our own classes
    }


def is_conversation(value: Any) -> bool:
    """Whether it is a list of messages with at least one."""
    return isinstance(value, list) and bool(value) and all(hasattr(part, "content") for part in value)


def as_json(value: Any) -> str:
    """Return an output as JSON text."""
    return json.dumps(as_data(value), ensure_ascii=False)


def as_data(value: Any, depth: int = 0) -> Any:
    """Return an output as JSON data: messages as their text, objects by their fields, others as their str()."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if depth > _MAX_DEPTH:  # such as a list that contains itself
        return "…"
    if isinstance(value, dict):
        return {str(name): as_data(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_data(part, depth + 1) for part in value]
    if is_text(value) or callable(getattr(value, "to_string", None)):
        return piece_text(value)
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return _dumped(value, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return as_data(asdict(value), depth + 1)
    return str(value)


def _dumped(value: Any, depth: int) -> Any:
    try:
        return value.model_dump(mode="json", warnings=False)
    except Exception:  # noqa: BLE001 - the user's own serialiser failed, or a value has no JSON form
        return as_data(dict(value), depth + 1)


def messages_in(value: Any, depth: int = 0) -> Iterable[Any]:
    """Return every message in an output, in order."""
    if hasattr(value, "content"):
        yield value
    elif depth < _MAX_DEPTH and isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from messages_in(part, depth + 1)


def sum_usage(messages: Iterable[Any]) -> Usage | None:
    """Return the sum of what the messages cost, as far as they say."""
    sums: dict[str, int] = {}
    details: dict[str, dict[str, int]] = {"prompt_tokens_details": {}, "completion_tokens_details": {}}
    for message in messages:
        counted = getattr(message, "usage_metadata", None) or {}
        for name, theirs in _COUNTS.items():
            if isinstance(counted.get(theirs), int):
                sums[name] = sums.get(name, 0) + counted[theirs]
        cached = (counted.get("input_token_details") or {}).get("cache_read")
        thought = (counted.get("output_token_details") or {}).get("reasoning")
        _add(details["prompt_tokens_details"], "cached_tokens", cached)
        _add(details["completion_tokens_details"], "reasoning_tokens", thought)
    return Usage.from_wire({**sums, **details})


def _add(counts: dict[str, int], name: str, value: Any) -> None:
    if isinstance(value, int):
        counts[name] = counts.get(name, 0) + value


def tool_call_to_wire(call: Any) -> dict[str, Any]:
    """Return a tool call of LangChain in the form of OpenAI's chat API."""
    arguments = json.dumps(call.get("args"), ensure_ascii=False, default=str)
    return {"id": call.get("id"), "type": "function", "function": {"name": call.get("name"), "arguments": arguments}}


def error_of(error: BaseException, name: str) -> AzmlError:
    """Return what a Runnable raised as an error of ours: unchanged if it is one, else a RunnableError.

    Args:
        error: What it raised.
        name: What messages call the Runnable.

    Returns:
        The error. Its fact `status` is the HTTP status that another library's error carries, 0 for a failed connection.
    """
    if isinstance(error, AzmlError):
        return error.add_context(config=name)
    said = str(error).partition("\nFor troubleshooting, visit")[0]  # LangChain adds its own link
    made = RunnableError(": ".join(filter(None, [type(error).__name__, one_line(said, 300)])))
    status = status_of(error)
    if status is not None:
        made.add_facts(status=status)
    elif {kind.__name__ for kind in type(error).__mro__} & _CONNECTION_ERRORS:
        made.add_facts(status=0)
    return made.add_context(config=name)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error of another library carries, None without one."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", getattr(response, "status_code", None))
    return status if isinstance(status, int) else None

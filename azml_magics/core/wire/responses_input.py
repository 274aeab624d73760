"""The request of the Responses API: messages as input items, and model kwargs in the places where it has them.

Kwargs of the chat route are put where this one has the same thing under another name, so that a config can move between
the two. Everything else is sent as it is.

Sources: Microsoft Foundry's Responses API; OpenAI, "Migrate to the Responses API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..messages import text_of
from .renaming import take_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..messages import Message

ENCRYPTED_REASONING = "reasoning.encrypted_content"
"""What `include` names so that reasoning can be sent back to a server that stores nothing."""

LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")
"""The limit under its own name, then under those of the chat route."""

_SYSTEM_ROLES = {"system", "developer"}
_STATELESS = {"id", "status"}  # of an output item: they mean nothing to a server that did not store it
_TEXT_PARTS = {"user": "input_text", "assistant": "output_text"}

Item = dict[str, Any]


def split_instructions(messages: Sequence[Message], *, is_stored: bool = False) -> tuple[str, list[Item]]:
    """Return the system texts at the beginning, as the instructions, and the other messages as input items.

    Args:
        messages: The prompt.
        is_stored: Whether the server has stored the output items that the messages keep.
    """
    turns = list(messages)
    texts: list[str] = []
    while len(turns) > 1 and turns[0].get("role") in _SYSTEM_ROLES and isinstance(turns[0].get("content"), str):
        texts.append(turns.pop(0)["content"])
    return "\n\n".join(texts), [item for turn in turns for item in _to_items(turn, is_stored=is_stored)]


def _to_items(message: Message, *, is_stored: bool) -> Iterable[Item]:
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        call_id = message.get("tool_call_id")
        yield {"type": "function_call_output", "call_id": call_id, "output": _to_content(content, "user")}
        return
    if role == "assistant":
        kept = [item for item in message.get("items") or () if isinstance(item, dict)]
        if any(item.get("type") in _OUTPUT_ITEMS for item in kept):
            yield from kept if is_stored else _without_server_state(kept)
            return
    calls = [call for call in message.get("tool_calls") or () if isinstance(call, dict)]
    if content or not calls:
        yield {"role": role, "content": _to_content(content, "assistant" if role == "assistant" else "user")}
    for call in calls:
        function = call.get("function") or {}
        names = {"name": function.get("name"), "arguments": function.get("arguments") or "{}"}
        yield {"type": "function_call", "call_id": call.get("id"), **names}


_OUTPUT_ITEMS = {"message", "reasoning", "function_call"}


def _without_server_state(items: Iterable[Item]) -> Iterable[Item]:
    """Return output items as a server takes them that has not stored them.

    Reasoning without its encrypted content is left out: the server would look for it among what it stores.
    """
    for item in items:
        kind = item.get("type")
        if kind == "reasoning" and not item.get("encrypted_content"):
            continue
        dropped = {"status"} if kind == "reasoning" else _STATELESS if kind in _OUTPUT_ITEMS else set()
        yield {name: value for name, value in item.items() if name not in dropped}


def _to_content(content: Any, role: str) -> Any:
    """Return a message's content: a text as it is, the parts of the chat route as parts of this one."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, (list, tuple)):
        return text_of(content)  # raises
    return [_to_part(part, role) for part in content]


def _to_part(part: Any, role: str) -> Any:
    """Return a part of a message; one that the chat route does not have is taken for one of this route."""
    if isinstance(part, str):
        return {"type": _TEXT_PARTS[role], "text": part}
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return {"type": _TEXT_PARTS[role], "text": part.get("text", "")}
    if kind == "image_url":
        image = part.get("image_url")
        image = image if isinstance(image, dict) else {"url": image}
        return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail") or "auto"}
    if kind == "file" and isinstance(part.get("file"), dict):
        return {"type": "input_file", **_to_file(part["file"])}
    return part


def _to_file(file: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a file under the names of this route: one that is given by its address has another name."""
    url = file.get("file_data")
    if not (isinstance(url, str) and url.startswith(("https://", "http://"))):
        return file
    return {"file_url": url}


def rename_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model kwargs as the keys of the request's body.

    `max_tokens` and `max_completion_tokens` become `max_output_tokens`, unless that is given; `reasoning_effort` and
    `reasoning_summary` go into `reasoning`, `verbosity` and `response_format` into `text`; functions among `tools` lose
    the object around them.
    """
    body = dict(kwargs)
    take_first(body, LIMITS)
    if "tools" in body:
        body["tools"] = _flat_tools(body["tools"])
    if "tool_choice" in body:
        body["tool_choice"] = _flat_function(body["tool_choice"])
    if "response_format" in body:
        body["response_format"] = _flat_format(body["response_format"])
    _nest(body, "reasoning", {"reasoning_effort": "effort", "reasoning_summary": "summary"})
    _nest(body, "text", {"response_format": "format", "verbosity": "verbosity"})
    return body


def _nest(body: dict[str, Any], place: str, names: Mapping[str, str]) -> None:
    """Move the kwargs `names` into the object `place` under their names there."""
    moved = {inside: body.pop(name) for name, inside in names.items() if name in body}
    if moved:
        given = body.get(place)
        body[place] = {**(given if isinstance(given, dict) else {}), **moved}


def _flat_tools(tools: Any) -> Any:
    return [_flat_tool(tool) for tool in tools] if isinstance(tools, list) else tools


def _flat_tool(tool: Any) -> Any:
    """Return a tool of the chat route as this route writes it.

    Without `strict` the chat route takes optional parameters for optional, and this one would require them.
    """
    flat = _flat_function(tool)
    return flat if flat is tool else {**flat, "strict": flat.get("strict", False)}


def _flat_function(value: Any) -> Any:
    """Return `{"type": "function", "function": {…}}` without the inner object, and any other value as it is."""
    if isinstance(value, dict) and value.get("type") == "function" and isinstance(value.get("function"), dict):
        return {"type": "function", **value["function"]}
    return value


def _flat_format(value: Any) -> Any:
    """Return a `response_format` without the object around its schema."""
    if isinstance(value, dict) and isinstance(value.get("json_schema"), dict):
        return {"type": value.get("type", "json_schema"), **value["json_schema"]}
    return value

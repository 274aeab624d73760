"""What a wire format needs back in the next turn, such as encrypted reasoning and signed thoughts, kept in a message.

`Response.items` travels in `AIMessage.additional_kwargs["items"]`, and from there into the wire message's `items`. Wire
formats without items leave them out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langchain_core.messages import AIMessage

KEY = "items"


def find_items(message: AIMessage, text: Any) -> list[dict[str, Any]]:
    """Return the items of an earlier response; [] if the message says something else now, which is what to send.

    Args:
        message: The message.
        text: Its content as it would be sent.
    """
    given = message.additional_kwargs.get(KEY)
    items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    calls = [(call.get("id"), call["args"]) for call in message.tool_calls]
    same = isinstance(text, str) and _fold(_texts_of(items)) == _fold([text]) and list(_calls_of(items)) == calls
    return items if same and not message.invalid_tool_calls else []


def _fold(texts: Iterable[str]) -> str:
    """Return texts without white space: wire formats put blank lines between several."""
    return "".join("".join(texts).split())


def _texts_of(items: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """The texts of OpenAI's message items and of Anthropic's text blocks."""
    for item in items:
        content = item.get("content")
        parts = content if item.get("type") == "message" and isinstance(content, list) else [item]
        for part in parts:
            name = {"text": "text", "output_text": "text", "refusal": "refusal"}.get(str(part.get("type")))
            if name:
                yield str(part.get(name) or "")


def _calls_of(items: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Any, Any]]:
    """The ids and arguments of OpenAI's function calls and of Anthropic's tool uses."""
    for item in items:
        if item.get("type") == "tool_use":
            yield item.get("id"), item.get("input") or {}
        elif item.get("type") == "function_call":
            yield item.get("call_id") or item.get("id"), _parse(item.get("arguments"))


def _parse(arguments: Any) -> Any:
    try:
        return json.loads(arguments) if arguments else {}
    except (TypeError, ValueError, RecursionError):
        return arguments

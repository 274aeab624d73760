"""Read a list of chat messages into one GenerationRequest."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens
from azml_magics.emulator.generation import GenerationRequest

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationSettings


def to_generation_request(messages: list[dict[str, Any]], settings: GenerationSettings) -> GenerationRequest:
    """Return the GenerationRequest of a conversation.

    Args:
        messages: The messages. Tool results count only if no user message follows them.
        settings: The model kwargs.
    """
    system: list[str] = []
    turns: list[tuple[str, str]] = []
    results: list[tuple[str, str]] = []
    attached: list[str] = []
    names: dict[str, str] = {}
    prompt = ""
    for message in messages:
        role, (text, seen) = message.get("role"), _content(message.get("content"))
        if role in ("system", "developer"):
            system.append(text)
        elif role in ("tool", "function"):
            called = str(message.get("tool_call_id"))
            results.append((str(message.get("name") or names.get(called, "")), "; ".join([text, *seen]).strip("; ")))
        elif role == "assistant":
            names.update(_call_names(message))
            if text:
                turns.append(("assistant", text))
        else:
            if prompt:
                turns.append(("user", prompt))
            prompt, attached, results = text, seen, []
    return GenerationRequest(
        prompt, "\n".join(system), tuple(turns), tuple(results), tuple(attached), settings=settings
    )


def count_prompt_tokens(messages: list[dict[str, Any]]) -> int:
    """Count the tokens of all texts, and ChatML's overhead: four for each message, three for the response's start."""
    return 3 + sum(4 + tokens.count(_content(message.get("content"))[0]) for message in messages)


def _call_names(message: dict[str, Any]) -> dict[str, str]:
    calls = message.get("tool_calls")
    found = {}
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            found[str(call.get("id"))] = str(function.get("name", ""))
    return found


def _content(content: Any) -> tuple[str, list[str]]:
    """Return the text of a message's content, and descriptions of its other parts."""
    if isinstance(content, str):
        return content, []
    texts: list[str] = []
    others: list[str] = []
    for part in content if isinstance(content, list) else []:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, dict):
            others.append(describe(part))
    return "\n".join(texts), others


def describe(part: dict[str, Any]) -> str:
    """Describe a content part of any route: its kind, media type and size."""
    kind = str(part.get("type", "part"))[:40]
    found = part.get("source", part.get(kind.removeprefix("input_"), part.get(kind)))
    inner = found if isinstance(found, dict) else {}
    what = _kind_of(kind)
    data = inner.get("file_data") or part.get("file_data")
    link = data or inner.get("url") or part.get("image_url") or part.get("url") or ""
    if isinstance(link, str) and link.startswith("data:"):
        head, _, data = link[5:].partition(",")
        return f"{what} ({head.partition(';')[0][:60] or 'no media type'}, {_size(data)} bytes)"
    if isinstance(inner.get("data"), str):
        media = inner.get("media_type") or inner.get("format") or "no format"
        return f"{what} ({str(media)[:40]}, {_size(inner['data'])} bytes)"
    if link:
        return f"{what} at {str(link).partition('?')[0][:120]}"
    return what


def _kind_of(kind: str) -> str:
    if "image" in kind:
        return "an image"
    if "audio" in kind:
        return "a sound"
    return "a file" if "file" in kind or kind == "document" else f"a part of type {kind}"


def _size(data: str) -> int:
    try:
        return len(base64.b64decode(data, validate=False))
    except (binascii.Error, ValueError):
        return len(data)

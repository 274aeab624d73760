"""Prompts and responses in the JSON form of OpenTelemetry's conventions. They are recorded only if a variable says so.

Source: the JSON schemas of gen_ai.input.messages, gen_ai.output.messages and gen_ai.system_instructions.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from ..redaction import redact_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..messages import Message
    from ..response import Response
    from .traced_call import TracedCall

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ON = {"true", "1", "span_only", "span_and_event"}  # the last two are the values of OpenTelemetry's own package
_OFF = {"false", "0", "no_content", "event_only"}
_SEPARATE_SYSTEM = "messages"  # the route of the wire whose system text is not one of the messages
_MODALITIES = {"image_url": "image", "input_image": "image", "input_audio": "audio", "file": "document"}


def is_captured() -> bool:
    """Whether spans record prompts and responses."""
    return os.environ.get(VARIABLE, "").strip().lower() in _ON


def is_refused() -> bool:
    """Whether the variable says explicitly that nothing may record prompts and responses."""
    return os.environ.get(VARIABLE, "").strip().lower() in _OFF


def as_attributes(call: TracedCall, response: Response | None) -> dict[str, str]:
    """Return a call's messages and those of its response as attributes; keys are masked."""
    secrets = call.read_secrets()
    messages = list(call.call.messages)
    found: dict[str, Any] = {}
    if _SEPARATE_SYSTEM in call.wire.routes:
        system = [part for message in messages if message.get("role") == "system" for part in _parts(message)]
        messages = [message for message in messages if message.get("role") != "system"]
        found |= {"gen_ai.system_instructions": system} if system else {}
    found["gen_ai.input.messages"] = input_messages(messages)
    if response is not None:
        found["gen_ai.output.messages"] = output_messages(response)
    return {name: to_json(redact_data(value, *secrets)) for name, value in found.items()}


def input_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages of a prompt."""
    return [{"role": str(message.get("role")), "parts": list(_parts(message))} for message in messages]


def output_messages(response: Response) -> list[dict[str, Any]]:
    """Return a message for each choice of a response."""
    return [_choice(choice) for choice in response.choices or (response,)]


def to_json(value: object) -> str:
    """Return JSON data as text; what is no JSON becomes its text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _choice(response: Response) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if response.reasoning:
        parts.append({"type": "reasoning", "content": response.reasoning})
    if response.text:
        parts.append(_text(response.text))
    parts += map(_tool_call, response.tool_calls)
    return {"role": "assistant", "parts": parts, "finish_reason": response.finish_reason or ""}


def _parts(message: Message) -> Iterator[dict[str, Any]]:
    content = message.get("content")
    if message.get("role") == "tool":
        yield {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content}
        return
    if content is not None:
        yield from map(_part, content if isinstance(content, list | tuple) else [content])
    calls = message.get("tool_calls")
    yield from map(_tool_call, calls if isinstance(calls, list | tuple) else ())


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return _text(part)
    if not isinstance(part, dict):
        return {"type": type(part).__name__}
    kind = str(part.get("type"))
    if "text" in part:
        return _text(part["text"])
    if kind in _MODALITIES:
        return _media(_MODALITIES[kind], part.get(kind) or part.get("image_url"))
    return {"type": kind}


def _media(modality: str, source: Any) -> dict[str, Any]:
    """A picture, sound or file: its address, or its kind and size in place of its bytes, which would fill a trace."""
    known: Mapping[str, Any] = source if isinstance(source, dict) else {"url": source}
    url = known.get("url") or known.get("file_data") or known.get("data") or ""
    if known.get("file_id"):
        return {"type": "file", "modality": modality, "file_id": known["file_id"]}
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return {"type": "uri", "modality": modality, "uri": url.partition("?")[0]}
    mime_type = url[5:].partition(";")[0] if str(url).startswith("data:") else None
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": "", "characters": len(str(url))}


def _text(text: object) -> dict[str, Any]:
    return {"type": "text", "content": str(text)}


def _tool_call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return {"type": "tool_call", "name": ""}
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        with contextlib.suppress(ValueError):  # not JSON, or cut off: as it is
            arguments = json.loads(arguments)
    return {"type": "tool_call", "id": call.get("id"), "name": function.get("name") or "", "arguments": arguments}

"""Failures inside a stream as each service writes them: OpenAI's chat, its Responses route, Anthropic's Messages."""

from __future__ import annotations

import json
from typing import Any, Literal

from azml_magics.emulator.http_response import DONE, fastapi_json

_FAILED = {
    "code": "server_error",
    "message": "The server had an error while processing your request. Sorry about that!",
}
_CHAT_ERROR = {"message": "The model stopped unexpectedly", "type": "InternalServerError", "code": 500}
_ENDS = ("response.completed", "response.incomplete", "message_stop")

Dialect = Literal["chat", "responses", "messages"]


def dialect_of(events: list[bytes]) -> Dialect:
    """Return whose stream these events are."""
    first = b"".join(events[:1])
    if first.startswith(b"event: response."):
        return "responses"
    return "messages" if first.startswith(b"event: message_start") else "chat"


def _read(event: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of an event; "" and {} if it has none."""
    lines = event.decode(errors="replace").strip().split("\n")
    name = next((line[7:] for line in lines if line.startswith("event: ")), "")
    try:
        data = json.loads(next((line[6:] for line in lines if line.startswith("data: ")), ""))
    except ValueError:
        return name, {}
    return name, data if isinstance(data, dict) else {}


def _write(name: str, data: dict[str, Any]) -> bytes:
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + fastapi_json(data) + b"\n\n"


def is_end(event: bytes) -> bool:
    """Return whether an event is the one that says that the stream is over."""
    return event == DONE or _read(event)[0] in _ENDS


def error_events(events: list[bytes], after: int, *, named: bool) -> list[bytes]:
    """Return the events of a failure that comes after `after` events.

    Args:
        events: The stream, which shows whose it is.
        after: How many events came before.
        named: With `event: error`, and then the end marker of the chat route.
    """
    dialect = dialect_of(events)
    error: dict[str, Any] = {"error": _CHAT_ERROR}
    if dialect == "responses":
        error = {"type": "error", "sequence_number": after, **_FAILED, "param": None}
    elif dialect == "messages":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    event = _write("error" if named else "", error)
    return [event, DONE] if named and dialect == "chat" else [event]


def without_usage(event: bytes) -> bytes:
    """Return an event without its usage; b"" if nothing is left of it."""
    if b'"usage"' not in event:
        return event
    name, data = _read(event)
    for holder in (data, data.get("response"), data.get("message")):
        if isinstance(holder, dict):
            holder.pop("usage", None)
    return _write(name, data) if name or data.get("choices") else b""


def filter_object(data: dict[str, Any]) -> bool:
    """Turn a Responses or Messages object into one that the content filter stopped; return whether it is one."""
    if data.get("object") == "response":
        data.update(status="incomplete", incomplete_details={"reason": "content_filter"}, output=[])
    elif data.get("type") == "message":
        data.update(stop_reason="refusal", content=[])
    else:
        return False
    return True


def filtered(events: list[bytes]) -> list[bytes] | None:
    """Return the events of a stream that the content filter stopped at its start; None for a chat stream."""
    dialect = dialect_of(events)
    if dialect == "chat":
        return None
    if dialect == "responses":
        _, data = _read(events[-1])
        filter_object(data["response"])
        return [*events[:2], _write("response.incomplete", {**data, "type": "response.incomplete"})]
    name, data = _read(events[-2])
    data["delta"]["stop_reason"] = "refusal"
    return [events[0], _write(name, data), events[-1]]


def fail_body(body: bytes) -> bytes:
    """Return a Responses object whose model failed; any other body is left alone."""
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if not isinstance(data, dict) or data.get("object") != "response":
        return body
    return fastapi_json({**data, "status": "failed", "error": _FAILED, "output": [], "usage": None})


def failed(events: list[bytes], after: int) -> list[bytes]:
    """Return a Responses stream whose model fails after `after` events; any other stream is left alone."""
    if dialect_of(events) != "responses":
        return events
    _, data = _read(events[-1])
    response = {**data["response"], "status": "failed", "error": _FAILED, "output": [], "usage": None}
    end = {"type": "response.failed", "sequence_number": after, "response": response}
    return [*events[:after], _write("response.failed", end)]

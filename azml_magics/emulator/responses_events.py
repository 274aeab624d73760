"""A response of the Responses route as its stream of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens
from azml_magics.emulator.http_response import fastapi_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azml_magics.emulator.responses_output import MadeResponse

    Event = tuple[str, dict[str, Any]]

_OBFUSCATION = "a1b2c3"
"""Padding that hides the length of a piece; clients skip it."""


def response_events(made: MadeResponse) -> Iterator[bytes]:
    """Yield the events: created, in_progress, each output item from added to done, and the response at its end."""
    for number, (kind, data) in enumerate(_events(made)):
        event = {"type": kind, "sequence_number": number, **data}
        yield b"event: " + kind.encode() + b"\ndata: " + fastapi_json(event) + b"\n\n"


def _events(made: MadeResponse) -> Iterator[Event]:
    begun = {"response": made.response("in_progress")}
    yield "response.created", begun
    yield "response.in_progress", begun
    for index, item in enumerate(made.items()):
        parts = {"reasoning": _reasoning, "message": _message, "function_call": _call}[item["type"]]
        yield from ((kind, _placed(data, index)) for kind, data in parts(made, item))
    yield f"response.{made.status}", {"response": made.response()}


def _placed(data: dict[str, Any], index: int) -> dict[str, Any]:
    """Return the event's data with the item's index, which stands after its id."""
    head = {"item_id": data["item_id"]} if "item_id" in data else {}
    return {**head, "output_index": index, **{name: value for name, value in data.items() if name != "item_id"}}


def _reasoning(_made: MadeResponse, item: dict[str, Any]) -> Iterator[Event]:
    yield "response.output_item.added", {"item": {**item, "summary": []}}
    for index, part in enumerate(item["summary"]):
        at = {"item_id": item["id"], "summary_index": index}
        yield "response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}}
        for piece in tokens.tokenize(part["text"]):
            yield "response.reasoning_summary_text.delta", {**at, "delta": piece, "obfuscation": _OBFUSCATION}
        yield "response.reasoning_summary_text.done", {**at, "text": part["text"]}
        yield "response.reasoning_summary_part.done", {**at, "part": part}
    yield "response.output_item.done", {"item": item}


def _message(made: MadeResponse, item: dict[str, Any]) -> Iterator[Event]:
    (part,) = item["content"]
    kind, at = part["type"], {"item_id": item["id"], "content_index": 0}
    key = "refusal" if kind == "refusal" else "text"
    more: dict[str, Any] = {} if kind == "refusal" else {"logprobs": []}
    yield "response.output_item.added", {"item": {**item, "status": "in_progress", "content": []}}
    yield "response.content_part.added", {**at, "part": made.content_part("")}
    for piece in made.choice.parts:
        yield f"response.{kind}.delta", {**at, "delta": piece, **more, "obfuscation": _OBFUSCATION}
    if made.status == "incomplete":
        return
    yield f"response.{kind}.done", {**at, key: part[key], **more}
    yield "response.content_part.done", {**at, "part": part}
    yield "response.output_item.done", {"item": item}


def _call(_made: MadeResponse, item: dict[str, Any]) -> Iterator[Event]:
    at = {"item_id": item["id"]}
    yield "response.output_item.added", {"item": {**item, "status": "in_progress", "arguments": ""}}
    for piece in tokens.tokenize(item["arguments"]):
        yield "response.function_call_arguments.delta", {**at, "delta": piece, "obfuscation": _OBFUSCATION}
    yield "response.function_call_arguments.done", {**at, "arguments": item["arguments"]}
    yield "response.output_item.done", {"item": item}

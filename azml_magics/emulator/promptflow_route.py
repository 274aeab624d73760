"""Prompt flow deployments: inputs and a history in, outputs out; a stream if the Accept header asks for one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_magics.emulator.generation import GenerationRequest
from azml_magics.emulator.http_response import HttpResponse, flask_json
from azml_magics.emulator.responder import generate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.emulator.routed_request import RoutedRequest

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Flow(NamedTuple):
    """What a flow calls its chat input, history and output, and how it returns them.

    Attributes:
        question: The chat input.
        history: The chat history.
        answer: The chat output.
        streams: Whether the chat output is made piece by piece.
        others: Outputs beside the answer.
    """

    question: str = "question"
    history: str = "chat_history"
    answer: str = "answer"
    streams: bool = True
    others: Mapping[str, Any] = _NOTHING


FLOWS: Mapping[str, Flow] = {
    "promptflow": Flow(),
    "promptflow-json": Flow(streams=False),
    "promptflow-outputs": Flow(others={"context": "From the handbook, page 3.", "sources": ["handbook.pdf"]}),
    "promptflow-names": Flow("query", "turns", "reply"),
}
"""The flows, by the names of their deployments."""


def run_flow(routed: RoutedRequest, data: dict[str, Any], flow: Flow) -> HttpResponse:
    """Return the flow's outputs: as events, without [DONE], if it streams and the client accepts that; else whole.

    As prompt flow's own server does, the other outputs come in an event before those of the answer, and a media type
    that it cannot send gets 406.
    """
    limited = generate(GenerationRequest(data[flow.question], earlier=_read_history(data.get(flow.history), flow)))
    accepted = {kind.partition(";")[0].strip() for kind in routed.headers.get("accept", "*/*").lower().split(",")}
    if flow.streams and "text/event-stream" in accepted:
        outputs = [{flow.answer: part} for part in limited.tokens]
        first = [dict(flow.others)] if flow.others else []
        events = [b"data: " + flask_json(output) + b"\n\n" for output in [*first, *outputs]]
        return HttpResponse.stream(events, tokens=len(limited.tokens))
    if not accepted & {"*/*", "application/*", "application/json"}:
        sends = "text/event-stream, application/json" if flow.streams else "application/json"
        message = (
            f"Media type {','.join(sorted(accepted))[:80]} in Accept header is not acceptable. "
            f"Supported media type(s) - {sends}"
        )
        return HttpResponse.flask({"error": {"code": "UserError", "message": message}}, 406)
    return HttpResponse.flask({flow.answer: limited.text, **flow.others}, tokens=len(limited.tokens))


def _read_history(history: Any, flow: Flow) -> tuple[tuple[str, str], ...]:
    """Return the turns of chat_history: [{"inputs": {"question": …}, "outputs": {"answer": …}}, …]."""
    turns: list[tuple[str, str]] = []
    for turn in history if isinstance(history, list) else []:
        if not isinstance(turn, dict):
            continue
        for role, side, key in (("user", "inputs", flow.question), ("assistant", "outputs", flow.answer)):
            half = turn.get(side)
            if isinstance(half, dict) and isinstance(half.get(key), str):
                turns.append((role, half[key]))
    return tuple(turns)


def flow_document(name: str) -> dict[str, Any]:
    """Return swagger.json of a flow as prompt flow's own server writes it."""
    flow = FLOWS[name]
    lists = {"type": "array", "items": {"type": "object", "additionalProperties": {}}}
    inputs = {flow.question: {"type": "string"}, flow.history: lists}
    types = {output: {"type": "string"} if isinstance(value, str) else lists for output, value in flow.others.items()}
    content = {"schema": {"type": "object", "properties": inputs, "required": list(inputs)}, "example": {}}
    outputs = {"schema": {"type": "object", "properties": {flow.answer: {"type": "string"}, **types}}}
    responses = {
        "200": {"description": "successful operation", "content": {"application/json": outputs}},
        "400": {"description": "Invalid input"},
        "default": {"description": "unexpected error"},
    }
    post = {
        "summary": f"run promptflow: {name} with an given input",
        "requestBody": {
            "description": "promptflow input data",
            "required": True,
            "content": {"application/json": content},
        },
        "responses": responses,
    }
    info = {
        "title": f"Promptflow[{name}] API",
        "version": "1.0.0",
        "x-flow-name": name,
        "x-chat-input": flow.question,
        "x-flow-type": "chat",
        "x-chat-history": flow.history,
        "x-chat-output": flow.answer,
    }
    return {
        "openapi": "3.0.0",
        "info": info,
        "components": {"securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearerAuth": []}],
        "paths": {"/score": {"post": post}},
    }

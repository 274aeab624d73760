"""Prompt flow deployments: question and chat_history in, answer out; a stream if the Accept header asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.generation import GenerationRequest
from azml_magics.emulator.http_response import HttpResponse, flask_json
from azml_magics.emulator.responder import generate

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest


def run_flow(routed: RoutedRequest, data: dict[str, Any]) -> HttpResponse:
    """Return `{"answer": …}`; with `Accept: text/event-stream` one event a token and no [DONE]; otherwise 406."""
    limited = generate(GenerationRequest(data["question"], earlier=_read_history(data.get("chat_history"))))
    accept = routed.headers.get("accept", "*/*").lower()
    if "text/event-stream" in accept:
        events = [b"data: " + flask_json({"answer": part}) + b"\n\n" for part in limited.tokens]
        return HttpResponse.stream(events, tokens=len(limited.tokens))
    if not any(kind in accept for kind in ("*/*", "application/*", "application/json")) and accept:
        message = f"Media type {accept[:80]} in Accept header is not acceptable."
        return HttpResponse.flask({"error": {"code": "UserError", "message": message}}, 406)
    return HttpResponse.flask({"answer": limited.text}, tokens=len(limited.tokens))


def _read_history(history: Any) -> tuple[tuple[str, str], ...]:
    """Return the turns of chat_history: [{"inputs": {"question": …}, "outputs": {"answer": …}}, …]."""
    turns: list[tuple[str, str]] = []
    for turn in history if isinstance(history, list) else []:
        if not isinstance(turn, dict):
            continue
        for role, side, key in (("user", "inputs", "question"), ("assistant", "outputs", "answer")):
            half = turn.get(side)
            if isinstance(half, dict) and isinstance(half.get(key), str):
                turns.append((role, half[key]))
    return tuple(turns)

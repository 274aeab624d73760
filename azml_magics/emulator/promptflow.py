"""Prompt flow deployments: question and chat_history in, answer out; a stream when the Accept header asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator.asking import Ask
from azml_magics.emulator.reply import Reply, flask_json
from azml_magics.emulator.words import answer

if TYPE_CHECKING:
    from azml_magics.emulator.exchange import Exchange


def flow(exchange: Exchange, data: dict[str, Any]) -> Reply:
    """`{"answer": …}`; with `Accept: text/event-stream` one event a token and no [DONE]; else 406, shape 8."""
    ending = answer(Ask(data["question"], earlier=_earlier(data.get("chat_history"))))
    accept = exchange.headers.get("accept", "*/*").lower()
    if "text/event-stream" in accept:
        events = [b"data: " + flask_json({"answer": part}) + b"\n\n" for part in ending.tokens]
        return Reply.stream(events, tokens=len(ending.tokens))
    if not any(kind in accept for kind in ("*/*", "application/*", "application/json")) and accept:
        message = f"Media type {accept[:80]} in Accept header is not acceptable."
        return Reply.flask({"error": {"code": "UserError", "message": message}}, 406)
    return Reply.flask({"answer": ending.text}, tokens=len(ending.tokens))


def _earlier(history: Any) -> tuple[tuple[str, str], ...]:
    """Earlier turns from chat_history: [{"inputs": {"question": …}, "outputs": {"answer": …}}, …]."""
    turns: list[tuple[str, str]] = []
    for turn in history if isinstance(history, list) else []:
        if not isinstance(turn, dict):
            continue
        for role, side, key in (("user", "inputs", "question"), ("assistant", "outputs", "answer")):
            half = turn.get(side)
            if isinstance(half, dict) and isinstance(half.get(key), str):
                turns.append((role, half[key]))
    return tuple(turns)

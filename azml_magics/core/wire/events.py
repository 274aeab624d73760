"""Reads the pieces of an answer out of the events of a stream: OpenAI's chat and completions, TGI, prompt flow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import ResponseFormatError
from ..response import Chunk, Usage
from ..text import one_line
from .replies import NEVER_TEXT, TEXT_KEYS, content_text, hidden_failure, not_an_answer, string, tool_calls

if TYPE_CHECKING:
    from .sse import Event

DONE = b"[DONE]"
_PREAMBLE = ("id", "object", "model", "prompt_filter_results")


def read_event(event: Event) -> Chunk | None:
    """The piece of answer in one server-sent event; None where it brings none ([DONE], role, prompt filter results).

    Raises what `replies.read` raises: for `event: error`, for an error object in the data (TGI, vLLM), and
    ResponseFormatError for data that is not JSON.
    """
    if event.data == DONE:
        return None
    failed = event.type == "error"
    try:
        value = json.loads(event.data)
    except (ValueError, RecursionError):
        shown = event.data.decode("utf-8", "replace")
        if not failed:
            raise ResponseFormatError(
                f"The stream holds an event that is not JSON: {one_line(shown, 120)!r}",
                remedy="Ask again, or with --no-stream.",
            ) from None
        value = {"error": shown}
    if not isinstance(value, dict):
        if not failed:
            raise not_an_answer(value)
        value = {"error": value}
    if failed or value.get("error") or value.get("object") == "error":
        raise hidden_failure(value)
    choices = value.get("choices")
    if choices:
        return _of_choice(choices[0] if isinstance(choices, list) else choices, value)
    if choices is not None:
        usage = Usage.from_wire(value.get("usage"))
        return Chunk(usage=usage, model=string(value.get("model")) or "") if usage else None
    return _of_record(value)


def _of_choice(choice: Any, value: dict[str, Any]) -> Chunk:
    if not isinstance(choice, dict):
        raise not_an_answer(value)
    delta = choice.get("delta") or choice.get("message") or choice
    if not isinstance(delta, dict):
        raise not_an_answer(value)
    text = delta.get("content") or delta.get("text") or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    return Chunk(
        text=text if isinstance(text, str) else content_text(text),
        reasoning=reasoning if isinstance(reasoning, str) else content_text(reasoning),
        tool_calls=tool_calls(delta["tool_calls"]) if delta.get("tool_calls") else (),
        usage=Usage.from_wire(value["usage"]) if value.get("usage") else None,
        finish_reason=string(choice.get("finish_reason")),
        logprobs=choice.get("logprobs"),
        model=string(value.get("model")) or "",
    )


def _of_record(value: dict[str, Any]) -> Chunk | None:
    token = value.get("token")
    if isinstance(token, dict):  # TGI; its last event repeats the whole text in generated_text
        details = value.get("details")
        details = details if isinstance(details, dict) else {}
        last = isinstance(value.get("generated_text"), str)
        return Chunk(
            text="" if token.get("special") else content_text(token.get("text")),
            usage=Usage.from_wire({"completion_tokens": details.get("generated_tokens")}),
            finish_reason=string(details.get("finish_reason")) or ("stop" if last else None),
        )
    for key in TEXT_KEYS:
        if isinstance(value.get(key), str):
            return Chunk(text=value[key])
    if any(key in value for key in _PREAMBLE):
        return None  # a preamble without content
    only = next(iter(value), "") if len(value) == 1 else ""
    if only and only not in NEVER_TEXT and isinstance(value[only], str):  # a flow's output may have any name
        return Chunk(text=value[only])
    raise not_an_answer(value)

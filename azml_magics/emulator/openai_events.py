"""Chat and text completions as server-sent events: one token per chunk, with its leading space."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import tokens
from azml_magics.emulator.content_filters import prompt_verdicts
from azml_magics.emulator.http_response import DONE, sse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azml_magics.emulator.generated_choice import GeneratedChoice
    from azml_magics.emulator.openai_families import ResponseStamp, RouteFamily


def chat_events(
    choices: list[GeneratedChoice],
    stamp: ResponseStamp,
    usage: dict[str, Any],
    family: RouteFamily,
    *,
    include_usage: bool,
) -> Iterator[bytes]:
    """Yield the events of a chat stream, with usage where the family's services put it (Microsoft's documentation).

    The Inference API sends it in the chunk of the finish reason, always; OpenAI's routes in a last chunk without
    choices, when stream_options.include_usage asks for it. Azure OpenAI begins with a chunk without choices.
    """
    if family.prompt_filter:
        yield sse(
            {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": prompt_verdicts()}],
            }
        )
    last = len(choices) - 1
    streams = [
        _choice_events(choice, stamp, index, family, usage if index == last else None)
        for index, choice in enumerate(choices)
    ]
    # Servers generate choices side by side: their events come mixed.
    for row in zip_longest(*streams):
        yield from (event for event in row if event is not None)
    if include_usage and not family.strict:
        yield sse({**_chat_chunk(stamp, 0, {}), "choices": [], "usage": usage})
    yield DONE


def _choice_events(
    choice: GeneratedChoice, stamp: ResponseStamp, index: int, family: RouteFamily, usage: dict[str, Any] | None
) -> Iterator[bytes]:
    """Yield the events of one choice; `usage` is that of the response, for the last choice."""
    yield sse(_chat_chunk(stamp, index, {"role": "assistant", "content": ""}))
    for piece in tokens.tokenize(choice.reasoning):
        yield sse(_chat_chunk(stamp, index, {"reasoning_content": piece}))
    key = "refusal" if choice.is_refusal else "content"
    head, tail = _split_event(sse(_chat_chunk(stamp, index, {key: ""})), f'"{key}":'.encode())
    for part in choice.parts:
        yield head + _to_json(part) + tail
    yield from _call_events(choice, stamp, index)
    end = _chat_chunk(stamp, index, {"content": ""} if family.strict else {}, choice.finish_reason)
    yield sse({**end, "usage": usage} if family.strict and usage else end)


def _chat_chunk(stamp: ResponseStamp, index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {
        "id": stamp.id,
        "object": "chat.completion.chunk",
        "created": stamp.created,
        "model": stamp.model,
        "choices": [choice],
    }


def _call_events(choice: GeneratedChoice, stamp: ResponseStamp, index: int) -> Iterator[bytes]:
    for at, call in enumerate(choice.calls):
        function = {"name": call["function"]["name"], "arguments": ""}
        start = {"index": at, "id": call["id"], "type": "function", "function": function}
        yield sse(_chat_chunk(stamp, index, {"tool_calls": [start]}))
        for piece in tokens.tokenize(call["function"]["arguments"]):
            yield sse(_chat_chunk(stamp, index, {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}))


def completion_events(
    choices: list[GeneratedChoice],
    stamp: ResponseStamp,
    usage: dict[str, Any],
    family: RouteFamily,
    *,
    include_usage: bool,
) -> Iterator[bytes]:
    """Yield the events of a text completion stream."""
    for index, choice in enumerate(choices):
        head, tail = _split_event(sse(_text_chunk(stamp, index, "", None)), b'"text":')
        for part in choice.parts:
            yield head + _to_json(part) + tail
        end = _text_chunk(stamp, index, "", choice.finish_reason)
        last = index == len(choices) - 1
        yield sse({**end, "usage": usage} if family.strict and last else end)
    if include_usage and not family.strict:
        yield sse({**_text_chunk(stamp, 0, "", None), "choices": [], "usage": usage})
    yield DONE


def _text_chunk(stamp: ResponseStamp, index: int, text: str, finish: str | None) -> dict[str, Any]:
    choice = {"index": index, "text": text, "finish_reason": finish, "logprobs": None}
    return {
        "id": stamp.id,
        "object": "text_completion",
        "created": stamp.created,
        "model": stamp.model,
        "choices": [choice],
    }


def _split_event(event: bytes, key: bytes) -> tuple[bytes, bytes]:
    """Split an event around the empty string of `key`, so that a chunk is three joined pieces of bytes."""
    # The last one: a model name chosen by the client could hold the key, and the choices come after it.
    at = event.rindex(key + b'""') + len(key)
    return event[:at], event[at + 2 :]


def _to_json(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode(errors="replace")

"""Messages of the Messages route: whole, and as their stream of events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages, tokens
from azml_magics.emulator.anthropic_request import SIGNATURE
from azml_magics.emulator.http_response import fastapi_json
from azml_magics.emulator.prompt_cache import CacheUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azml_magics.emulator.anthropic_request import MessagesRequest
    from azml_magics.emulator.generated_choice import GeneratedChoice


@dataclass(frozen=True)
class AnthropicMessage:
    """A message that was made.

    Attributes:
        id: The part of its ids that differs from message to message.
        request: What was asked for.
        choice: Its thoughts, text and tool calls.
        stopped_by: The stop sequence that ended it, or None.
        cached: What of the prompt was read from the cache and written to it.
    """

    id: str
    request: MessagesRequest
    choice: GeneratedChoice
    stopped_by: str | None = None
    cached: CacheUse = field(default_factory=CacheUse)

    @property
    def stop_reason(self) -> str:
        """Why it ends, in the service's words."""
        if self.choice.is_refusal:
            return "refusal"
        if self.stopped_by is not None:
            return "stop_sequence"
        return {"length": "max_tokens", "tool_calls": "tool_use"}.get(self.choice.finish_reason, "end_turn")

    def blocks(self) -> list[dict[str, Any]]:
        """Return the content: thinking, text, tool calls."""
        blocks: list[dict[str, Any]] = []
        if self.choice.reasoning:
            thinking = self.choice.reasoning if self.request.shows_thoughts else ""
            blocks.append({"type": "thinking", "thinking": thinking, "signature": f"{SIGNATURE}{self.id}"})
        if self.choice.parts:
            blocks.append({"type": "text", "text": self.choice.text})
        blocks += [_tool_use(call) for call in self.choice.calls]
        return blocks

    def whole(self) -> dict[str, Any]:
        """Return the message as one object."""
        ended = {"stop_reason": self.stop_reason, "stop_sequence": self.stopped_by}
        counts = {**self._input_counts(), "output_tokens": self.choice.tokens}
        usage = {**counts, **self._details(), "service_tier": "standard"}
        return {**self._head(), "content": self.blocks(), **ended, "usage": usage}

    def events(self) -> Iterator[bytes]:
        """Yield the events of the message."""
        usage = {**self._input_counts(), "output_tokens": 1}
        begun = {**self._head(), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        yield _event("message_start", {"message": begun})
        for index, block in enumerate(self.blocks()):
            yield _event("content_block_start", {"index": index, "content_block": _begun(block)})
            if index == 0:
                yield _event("ping", {})
            for delta in self._deltas(block):
                yield _event("content_block_delta", {"index": index, "delta": delta})
            yield _event("content_block_stop", {"index": index})
        ended = {"stop_reason": self.stop_reason, "stop_sequence": self.stopped_by}
        yield _event(
            "message_delta", {"delta": ended, "usage": {"output_tokens": self.choice.tokens, **self._details()}}
        )
        yield _event("message_stop", {})

    def _deltas(self, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if block["type"] == "thinking":
            for piece in tokens.tokenize(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        elif block["type"] == "text":
            yield from ({"type": "text_delta", "text": part} for part in self.choice.parts)
        else:
            for piece in ["", *tokens.tokenize(json.dumps(block["input"], ensure_ascii=False))]:
                yield {"type": "input_json_delta", "partial_json": piece}

    def _head(self) -> dict[str, Any]:
        return {"id": f"msg_{self.id}", "type": "message", "role": "assistant", "model": self.request.body["model"]}

    def _input_counts(self) -> dict[str, int]:
        cached = self.cached.written + self.cached.read
        counted = chat_messages.count_prompt_tokens(self.request.messages)
        return {
            "input_tokens": max(0, counted - cached),
            "cache_creation_input_tokens": self.cached.written,
            "cache_read_input_tokens": self.cached.read,
        }

    def _details(self) -> dict[str, Any]:
        thoughts = self.choice.reasoning_tokens
        return {"output_tokens_details": {"thinking_tokens": thoughts}} if thoughts else {}


def _tool_use(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    identity = "toolu_" + call["id"].removeprefix("call_")
    return {"type": "tool_use", "id": identity, "name": function["name"], "input": json.loads(function["arguments"])}


def _begun(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block as it is at its start: without its content."""
    empty: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return {**block, **empty[block["type"]]}


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + fastapi_json({"type": kind, **data}) + b"\n\n"

"""Reads the events of a streamed message of Anthropic's Messages API.

`message_start`, then `content_block_start`, `content_block_delta` and `content_block_stop` for each block,
`message_delta` with the stop reason and the usage, `message_stop`. `ping` comes anywhere.

Source: Anthropic API reference, "Streaming Messages".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..response import Chunk
from .anthropic_output import finish_reason_of, parse_usage, raise_if_refused
from .event_reader import EventReader
from .events import parse_event
from .json_body import as_text, text_or_none

if TYPE_CHECKING:
    from .sse import Event

_SEPARATOR = "\n\n"  # between two blocks of thoughts
_CALLS = {"tool_use", "server_tool_use", "mcp_tool_use"}  # blocks whose input arrives as pieces of JSON


class AnthropicReader(EventReader):
    """Reads one stream. Keeps the content blocks, signatures included, for the next turn."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int | None, dict[str, Any]] = {}  # by their index
        self._inputs: dict[int | None, str] = {}  # the JSON of calls so far
        self._has_thoughts = False

    def read(self, event: Event) -> Chunk | None:
        """Return what an event adds to the response; None for one that adds nothing, be its type known or not."""
        value = parse_event(event)
        readers = {
            "message_start": self._read_start,
            "content_block_start": self._read_block,
            "content_block_delta": self._read_delta,
            "content_block_stop": self._read_block_end,
            "message_delta": self._read_message_delta,
            "message_stop": self._read_end,
        }
        reader = readers.get(str(value.get("type"))) if value is not None else None
        return reader(value) if reader and value is not None else None

    def _read_start(self, value: dict[str, Any]) -> Chunk | None:
        message = value.get("message")
        if isinstance(message, dict):
            self._message = message
            self._add_usage(message.get("usage"))
        return Chunk(model=self._text_of("model"), id=self._text_of("id"))

    def _text_of(self, name: str) -> str:
        return text_or_none(self._message.get(name)) or ""

    def _read_block(self, value: dict[str, Any]) -> Chunk | None:
        index, block = _index_of(value), value.get("content_block")
        if not isinstance(block, dict):
            return None
        self._blocks[index] = dict(block)
        kind = block.get("type")
        if kind == "tool_use":
            named = {"name": text_or_none(block.get("name")) or "", "arguments": ""}
            return self._fragment(index, id=block.get("id"), type="function", function=named)
        if kind == "thinking":
            separator = _SEPARATOR if self._has_thoughts else ""
            self._has_thoughts = True
            return _chunk_of(reasoning=separator + (text_or_none(block.get("thinking")) or ""))
        return _chunk_of(text=text_or_none(block.get("text")) or "") if kind == "text" else None

    def _read_delta(self, value: dict[str, Any]) -> Chunk | None:
        index, delta = _index_of(value), value.get("delta")
        if not isinstance(delta, dict):
            return None
        block, kind = self._blocks.setdefault(index, {}), delta.get("type")
        if kind == "text_delta":
            return _chunk_of(text=_append(block, "text", delta.get("text")))
        if kind == "thinking_delta":
            return _chunk_of(reasoning=_append(block, "thinking", delta.get("thinking")))
        if kind == "signature_delta":
            _append(block, "signature", delta.get("signature"))
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]
        elif kind == "input_json_delta":
            piece = _append(self._inputs, index, delta.get("partial_json"))
            if piece and block.get("type") == "tool_use":
                return self._fragment(index, function={"arguments": piece})
        return None

    def _read_block_end(self, value: dict[str, Any]) -> Chunk | None:
        """Read the end of a block: the input of a call is whole now, and may have come with its beginning."""
        index = _index_of(value)
        block = self._blocks.get(index, {})
        if block.get("type") not in _CALLS:
            return None
        if index in self._inputs:
            block["input"] = _parse_input(self._inputs[index])
            return None
        if block.get("type") != "tool_use":
            return None
        return self._fragment(index, function={"arguments": as_text(block.get("input") or {})})

    def _read_message_delta(self, value: dict[str, Any]) -> Chunk | None:
        delta = value.get("delta")
        self._message = {**self._message, **(delta if isinstance(delta, dict) else {})}
        self._add_usage(value.get("usage"))
        raise_if_refused(self._message)
        reason = finish_reason_of(self._message)
        is_end = reason is not None and not self.is_complete
        self.is_complete = reason is not None
        items = tuple(block for block in self._blocks.values() if "type" in block) if is_end else ()
        return Chunk(usage=parse_usage(self._usage), finish_reason=reason, items=items)

    def _read_end(self, value: dict[str, Any]) -> Chunk | None:  # noqa: ARG002 - as every reader of an event
        self.is_over = self.is_complete = True
        return None

    def _add_usage(self, usage: Any) -> None:
        """Add counts, which are cumulative: later ones replace earlier ones."""
        if isinstance(usage, dict):
            self._usage.update({name: count for name, count in usage.items() if count is not None})

    def _fragment(self, index: Any, **parts: Any) -> Chunk:
        """Return a piece of the tool call in the block at `index`; calls are numbered on their own."""
        calls = [place for place, block in self._blocks.items() if block.get("type") == "tool_use"]
        return Chunk(tool_calls=({"index": calls.index(index), **parts},))


def _index_of(value: dict[str, Any]) -> int | None:
    index = value.get("index")
    return index if isinstance(index, int) else None


def _append(texts: dict[Any, Any], name: Any, piece: Any) -> str:
    """Append `piece` to the text under `name`, and return it; what is not a text adds nothing."""
    added = text_or_none(piece) or ""
    texts[name] = (text_or_none(texts.get(name)) or "") + added
    return added


def _chunk_of(text: str = "", reasoning: str = "") -> Chunk | None:
    return Chunk(text=text, reasoning=reasoning) if text or reasoning else None


def _parse_input(text: str) -> Any:
    """Return the input of a tool call; a limit may have cut its JSON short, and then it is kept as a text."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"arguments": text}

"""Reads the events of a streamed response of the Responses API.

`response.created`, …, `response.output_text.delta`, …, `response.completed`: what an event is stands in `data.type`, so
that `event:` lines may be missing. The last event repeats the whole response: what no delta brought is taken from it.

Source: OpenAI API reference, "Responses", streaming events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..response import Chunk
from .event_reader import EventReader
from .events import parse_event
from .failures import make_embedded_error
from .json_body import text_or_none
from .responses_output import (
    SEPARATOR,
    call_id_of,
    function_of,
    make_response,
    message_text,
    raise_for_status,
    reasoning_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..response import Response
    from .sse import Event

_TEXT = ("response.output_text.delta", "response.refusal.delta")
_REASONING = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ARGUMENTS = "response.function_call_arguments.delta"
_ITEM_ADDED, _ITEM_DONE = "response.output_item.added", "response.output_item.done"
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


class ResponsesReader(EventReader):
    """Reads one stream."""

    def __init__(self) -> None:
        self._text = _JoinedText()
        self._reasoning = _JoinedText()
        self._calls: dict[Any, _StreamedCall] = {}  # by the place of their item in the output
        self._items: list[Any] = []

    def read(self, event: Event) -> Chunk | None:
        """Return what an event adds to the response; None for one that adds nothing, be its type known or not."""
        value = parse_event(event)
        if value is None:
            return None
        kind = value.get("type")
        if kind == "error":
            raise make_embedded_error(value)
        if kind in _ENDS:
            return self._read_end(value.get("response"), kind.removeprefix("response."))
        if kind in {_ITEM_ADDED, _ITEM_DONE}:
            return self._read_item(value)
        delta = text_or_none(value.get("delta"))
        return self._read_delta(kind, delta, value) if delta else None

    def _read_delta(self, kind: Any, delta: str, value: dict[str, Any]) -> Chunk | None:
        place = _place_of(value)
        if kind in _TEXT:
            return Chunk(text=self._text.add(delta, place))
        if kind in _REASONING:
            return Chunk(reasoning=self._reasoning.add(delta, place, value.get("summary_index")))
        if kind == _ARGUMENTS:
            return Chunk(tool_calls=(self._call_at(place).add(delta),))
        return None

    def _read_item(self, value: dict[str, Any]) -> Chunk | None:
        """Read the beginning or the end of an output item: a function's name and id, or what came without deltas."""
        item, place = value.get("item"), _place_of(value)
        if not isinstance(item, dict):
            return None
        if value["type"] == _ITEM_DONE:
            self._items.append(item)
        if item.get("type") == "function_call":
            fragment = self._call_at(place).complete(call_id_of(item), function_of(item))
            return Chunk(tool_calls=(fragment,)) if fragment else None
        text = self._text.complete(message_text(item), place)
        reasoning = self._reasoning.complete(reasoning_text(item), place)
        return Chunk(text=text, reasoning=reasoning) if text or reasoning else None

    def _call_at(self, place: Any) -> _StreamedCall:
        return self._calls.setdefault(place, _StreamedCall(len(self._calls)))

    def _read_end(self, value: Any, status: str) -> Chunk:
        """Read the event that repeats the whole response, and return what no earlier event has brought."""
        value = {"status": status, **(value if isinstance(value, dict) else {})}
        raise_for_status(value)
        output = value.get("output")
        whole = make_response(value, output if isinstance(output, list) and output else self._items)
        self.is_over = self.is_complete = True
        return Chunk(
            text=self._text.rest_of(whole.text),
            reasoning=self._reasoning.rest_of(whole.reasoning),
            tool_calls=tuple(self._missing_fragments(whole)),
            usage=whole.usage,
            finish_reason=whole.finish_reason,
            logprobs=whole.logprobs,
            model=whole.model,
            filters=whole.filters,
            items=whole.items,
            id=whole.id,
        )

    def _missing_fragments(self, whole: Response) -> Iterator[dict[str, Any]]:
        known = list(self._calls.values())
        for number, call in enumerate(whole.tool_calls):
            streamed = known[number] if number < len(known) else _StreamedCall(number)
            if fragment := streamed.complete(call["id"], call["function"]):
                yield fragment


def _place_of(value: dict[str, Any]) -> int | str | None:
    """Return where an item stands in the output; servers that do not number their items send its id."""
    index = value.get("output_index")
    return index if isinstance(index, int) else text_or_none(value.get("item_id"))


class _JoinedText:
    """A text that arrives in pieces from several places."""

    def __init__(self) -> None:
        self._received = ""
        self._last: tuple[Any, Any] = (None, None)
        self._places: set[Any] = set()

    def add(self, piece: str, place: Any, part: Any = None) -> str:
        """Return `piece`, with a separator in front if it begins the text of another place, or of another part."""
        if self._received and (place, part) != self._last:
            piece = SEPARATOR + piece
        self._last = place, part
        self._places.add(place)
        self._received += piece
        return piece

    def complete(self, text: str, place: Any) -> str:
        """Return the whole text of a place, separated, if no piece of it has come; else ""."""
        return self.add(text, place) if text and place not in self._places else ""

    def rest_of(self, whole: str) -> str:
        """Return what the whole text has beyond the received one; "" if the two differ."""
        return whole.removeprefix(self._received) if whole.startswith(self._received) else ""


class _StreamedCall:
    """A function call that arrives in pieces.

    Args:
        number: Its number among the calls of the response.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._is_named = False
        self._arguments = ""

    def add(self, arguments: str) -> dict[str, Any]:
        """Return the fragment for a piece of its arguments."""
        self._arguments += arguments
        return {"index": self._number, "function": {"arguments": arguments}}

    def complete(self, call_id: str, function: dict[str, str]) -> dict[str, Any] | None:
        """Return the fragment with what is known of it now and was not before; None if that is nothing."""
        arguments = function["arguments"]
        rest = arguments.removeprefix(self._arguments) if arguments.startswith(self._arguments) else ""
        if self._is_named and not rest:
            return None
        self._is_named = bool(function["name"])
        self._arguments += rest
        named = {"name": function["name"], "arguments": rest}
        return {"index": self._number, "id": call_id, "type": "function", "function": named}

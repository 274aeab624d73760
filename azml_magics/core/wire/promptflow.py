"""Deployed prompt flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..messages import flatten, text_of
from ..response import Chunk
from .base import Call, Payload, Wire, to_json
from .event_reader import EventReader, StatelessEventReader
from .events import parse_event
from .failures import make_missing_text_error
from .records import find_text_key, parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from ..response import Response
    from .sse import Event

# The names of outputs that are taken for the flow's answer; an output of another name counts if it is the only one.
_OUTPUT_KEYS = ("output", "answer", "text", "response", "result")


class PromptFlowWire(Wire):
    """`{"question": p, "chat_history": […], …}` -> `{"answer": t}`; model kwargs are further inputs of the flow.

    Streamed, if the request says `Accept: text/event-stream`: events `{"answer": t}` without an end marker.

    Source: prompt flow's documentation of its streaming mode.
    """

    chat = True

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - any flow may stream
        return True

    def encode(self, call: Call) -> Payload:
        *earlier, last = [message for message in call.messages if message.get("role") != "system"] or [{"content": ""}]
        system = [message for message in call.messages if message.get("role") == "system"]
        body = {"question": flatten([*system, last]), "chat_history": _history(earlier), **call.kwargs}
        headers = {"Accept": "text/event-stream" if call.stream else "application/json"}
        return Payload(to_json(body), headers)

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, _OUTPUT_KEYS, any_column=True)

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - Wire's signature
        return _PromptFlowEventReader(self.read_event)

    def read_event(self, event: Event) -> Chunk | None:
        value = parse_event(event)
        if value is None:
            return None
        texts = [value[key] for key in _OUTPUT_KEYS if isinstance(value.get(key), str)]
        if not texts and (key := find_text_key(value, (), any_column=True)) is not None:
            texts = [value[key]]
        if not texts:
            raise make_missing_text_error(value)
        return Chunk(text=texts[0])


class _PromptFlowEventReader(StatelessEventReader):
    """The end of the body is the only end of a flow's stream."""

    announces_end = False


def _history(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the earlier messages as the flow's pairs of inputs and outputs."""
    return [
        {"inputs": {"question": text_of(user.get("content"))}, "outputs": {"answer": text_of(assistant.get("content"))}}
        for user, assistant in zip(messages[::2], messages[1::2], strict=False)
    ]

"""Deployed prompt flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ResponseFormatError
from ..messages import flatten, text_of
from ..response import Chunk, Response
from .base import Call, Payload, Wire, to_json
from .event_reader import EventReader
from .events import parse_event
from .failures import make_empty_text_error, make_missing_text_error
from .json_body import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from .sse import Event

ANSWER_KEYS = ("answer", "reply", "output")
"""The usual names of a flow's answer, in the order in which they are looked for."""


class PromptFlowWire(Wire):
    """`{"question": p, "chat_history": […], …}` -> `{"answer": t, …}`; model kwargs are further inputs of the flow.

    Streamed, if the request says `Accept: text/event-stream`: events `{"answer": t}` without an end marker. Flows that
    do not stream refuse requests that accept nothing else.

    The flow's author names its inputs and outputs. The answer is the output of the name given here, or else of a usual
    name, or else the only output; whatever else the flow returns stays in `Response.raw`.

    Source: prompt flow's documentation of its streaming mode.

    Args:
        input: Name of the input that the prompt goes to; `x-chat-input` in the flow's swagger.
        history: Name of the input for the conversation so far; `x-chat-history` there.
        output: Name of the answer's output; `x-chat-output` there.
    """

    chat = True

    def __init__(self, input: str = "question", history: str = "chat_history", output: str = "") -> None:  # noqa: A002 - the users' word
        self.input = input
        self.history = history
        self.output = output

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - any flow may stream
        return True

    def encode(self, call: Call) -> Payload:
        system = [message for message in call.messages if message.get("role") == "system"]
        turns = [message for message in call.messages if message.get("role") != "system"]
        earlier, question = _split_question(turns)
        body = {self.input: flatten([*system, question]), self.history: self._pair_turns(earlier), **call.kwargs}
        accepts = "text/event-stream, application/json" if call.stream else "application/json"
        return Payload(to_json(body), {"Accept": accepts})

    def _pair_turns(self, turns: Sequence[Message]) -> list[dict[str, Any]]:
        """Return the earlier messages as pairs of inputs and outputs: each answer with the texts that it answers."""
        pairs, asked = [], []
        for turn in turns:
            text = text_of(turn.get("content"))
            if turn.get("role") != "assistant":
                asked.append(text)
                continue
            pairs.append((asked, text))
            asked = []
        answer = self.output or ANSWER_KEYS[0]
        return [{"inputs": {self.input: "\n\n".join(asked)}, "outputs": {answer: text}} for asked, text in pairs]

    def parse_response(self, value: Any) -> Response:
        if isinstance(value, str):
            value = {ANSWER_KEYS[0]: value}
        if not isinstance(value, dict):
            raise make_missing_text_error(value)
        text = as_text(value[find_answer_key(value, self.output)])
        if not text:
            raise make_empty_text_error()
        return Response(text, raw=value)

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - Wire's signature
        return _FlowReader(self.output)


def _split_question(turns: Sequence[Message]) -> tuple[Sequence[Message], Message]:
    """Return the turns before the question, and the question: the last messages that nothing answers yet."""
    start = len(turns)
    while start and turns[start - 1].get("role") != "assistant":
        start -= 1
    if start == len(turns):  # the conversation ends with an answer, which the flow is to go on from
        start = max(0, start - 1)
    texts = [text_of(turn.get("content")) for turn in turns[start:]]
    return turns[:start], {"role": "user", "content": "\n\n".join(texts)}


def find_answer_key(outputs: Mapping[str, Any], output: str) -> str:
    """Return the name of the answer among a flow's outputs.

    Args:
        outputs: What the flow returned.
        output: The answer's name, if it is known; else "".

    Raises:
        ModelError: The outputs report a failure.
        ResponseFormatError: None of them is known to be the answer.
    """
    for key in (output,) if output else ANSWER_KEYS:
        if outputs.get(key) is not None:
            return key
    (only,) = outputs if len(outputs) == 1 else ("",)
    if isinstance(outputs.get(only), str) and not output and only not in {"detail", "message"}:
        return only
    error = make_missing_text_error(dict(outputs))
    if isinstance(error, ResponseFormatError) and outputs:
        named = ", ".join(map(repr, outputs))
        error = ResponseFormatError(
            f"The flow's outputs are {named}, and none is known to be its answer",
            remedy="Name it in the formatter, such as promptflow(output=NAME).",
            error_code="flow-output",
        )
    raise error


class _FlowReader(EventReader):
    """Reads a flow's events: each adds to one or more outputs. The end of the body is the end of the stream.

    Args:
        output: The answer's name, if it is known; else "".
    """

    announces_end = False

    def __init__(self, output: str) -> None:
        self._output = output
        self._has_answer = False
        self.raw = {}

    def read(self, event: Event) -> Chunk | None:
        outputs = parse_event(event) or {}
        for key, value in outputs.items():
            known = self.raw.get(key)
            self.raw[key] = known + value if isinstance(known, str) and isinstance(value, str) else value
        keys = (self._output,) if self._output else ANSWER_KEYS
        found = [key for key in keys if outputs.get(key) is not None]
        if not found:
            return None
        self._has_answer = True
        self._output = found[0]  # an output of another usual name beside it is not the answer
        return Chunk(as_text(outputs[self._output]))

    def finish(self) -> Chunk | None:
        if self._has_answer or not self.raw:
            return None
        key = find_answer_key(self.raw, self._output)
        self._has_answer = True
        return Chunk(as_text(self.raw[key]))

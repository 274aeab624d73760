"""/score of the curated foundation-model images on dedicated endpoints: `input_data` around a prompt or messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .base import Call, Payload, Wire, to_json
from .openai_request import CHAT_KWARGS, OPENAI_KWARGS
from .reasoning import split_reasoning
from .records import clean_generated, parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..messages import Message
    from ..response import Response

# Where the images of 2023 and of 2026 put the text.
_TEXT_KEYS = ("output", "0")


class InputDataCompletionWire(Wire):
    """`{"input_data": {"input_string": [p], "parameters": {…}}}` -> `[{"0": t}]`.

    Several prompts in one request come back as `[{"0": t0, "1": t1}]`. Images of 2026 send
    `{"output": [t], "finish_reason": …}`. They report failures as `{}` and as `{"output": null, "error": …}`.

    Sources: Azure ML's curated images; LangChain's CustomOpenAIContentFormatter.
    """

    known_kwargs = OPENAI_KWARGS

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"input_data": {"input_string": [call.text], "parameters": call.kwargs}}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, _TEXT_KEYS)

    def clean(self, response: Response, call: Call) -> Response:
        return clean_generated(response, call)


class InputDataChatWire(Wire):
    """`{"input_data": {"input_string": [messages], "parameters": {…}}}` -> `{"output": t}`.

    Images of 2026 add `message`, `finish_reason`, `usage`, `model` and `reasoning_content`. They report failures as
    `{}`, as `{"output": "None"}` and as `{"output": null, "error": …}`.

    Sources: Azure ML's curated images; LangChain's CustomOpenAIChatContentFormatter.
    """

    chat = True
    known_kwargs = CHAT_KWARGS

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages as the model's chat template takes them."""
        return list(messages)

    def encode(self, call: Call) -> Payload:
        messages = self.arrange(call.messages)
        return Payload(to_json({"input_data": {"input_string": messages, "parameters": call.kwargs}}))

    def parse_response(self, value: Any) -> Response:
        response = parse_record(value, _TEXT_KEYS)
        if response.reasoning:
            return response
        reasoning, text = split_reasoning(response.text)
        return replace(response, text=text, reasoning=reasoning)

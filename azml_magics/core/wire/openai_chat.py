"""Chat on OpenAI routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Call, Payload, Wire
from .openai_choices import ChoicesEventReader, parse_choices
from .openai_content import read_message
from .openai_request import OPENAI_CHAT_KWARGS, encode_openai

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from ..response import Response
    from .event_reader import EventReader


class OpenAIChatWire(Wire):
    """`{"messages": […], …}` -> `{"choices": [{"message": {"content": t}, "finish_reason": …}], "usage": …}`.

    Streamed: events `{"choices": [{"delta": {"content": t}}]}`, then [DONE].

    Sources: Azure AI Model Inference API and Azure OpenAI references; vLLM and NIM on managed endpoints.
    """

    chat = True
    api_types = ("dedicated", "serverless")
    routes = ("chat/completions", "score")
    neighbours = ("responses",)
    known_kwargs = OPENAI_CHAT_KWARGS
    limit_kwarg = "max_completion_tokens"
    takes_response_format = True

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - every such route streams
        return True

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages as the model's chat template takes them."""
        return list(messages)

    def encode(self, call: Call) -> Payload:
        return encode_openai(call, {"messages": self.arrange(call.messages)})

    def parse_response(self, value: Any) -> Response:
        return parse_choices(value, read_message)

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - Wire's signature
        return ChoicesEventReader(read_message)

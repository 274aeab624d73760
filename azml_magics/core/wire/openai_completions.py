"""Completions on OpenAI routes: a prompt without roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Call, Payload, Wire
from .openai_choices import ChoicesEventReader, parse_choices
from .openai_content import read_completion
from .openai_request import OPENAI_KWARGS, encode_openai

if TYPE_CHECKING:
    from ..config import LLMConfig
    from ..response import Response
    from .event_reader import EventReader


class OpenAICompletionsWire(Wire):
    """`{"prompt": p, …}` -> `{"choices": [{"text": t, "finish_reason": …}], "usage": …}`.

    Streamed: events `{"choices": [{"text": t}]}`, then [DONE].

    Sources: Azure AI Model Inference API reference; Azure ML documentation of Llama's own /v1/completions.
    """

    api_types = ("dedicated", "serverless")
    routes = ("completions", "score")
    known_kwargs = OPENAI_KWARGS

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - every such route streams
        return True

    def encode(self, call: Call) -> Payload:
        return encode_openai(call, {"prompt": call.text})

    def parse_response(self, value: Any) -> Response:
        return parse_choices(value, read_completion)

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - Wire's signature
        return ChoicesEventReader(read_completion)

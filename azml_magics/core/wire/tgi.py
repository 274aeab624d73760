"""Hugging Face Text Generation Inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..response import Chunk, Usage
from .base import Call, Payload, Wire, to_json
from .events import parse_event
from .failures import make_missing_text_error
from .huggingface import GENERATION_KWARGS
from .openai_choices import extract_text, text_or_none
from .records import parse_record

if TYPE_CHECKING:
    from ..config import LLMConfig
    from ..response import Response
    from .sse import Event


class TGIWire(Wire):
    """`{"inputs": p, "parameters": {…}}` -> `{"generated_text": t, "details": …}` on /generate.

    Streamed on /generate_stream: events `{"token": {"text": t, "special": …}}`. The last one repeats the whole text in
    `generated_text`; there is no [DONE].

    Source: Hugging Face TGI, whose route registry deployments publish as their scoring route.
    """

    routes = ("generate", "generate_stream", "score")
    known_kwargs = GENERATION_KWARGS

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        url = super().url(config, stream=stream)
        head, query_mark, query = url.partition("?")
        if self.streams(config):
            head = head.removesuffix("_stream") + ("_stream" if stream else "")
        return head + query_mark + query

    def streams(self, config: LLMConfig) -> bool:
        return endpoints.route_of(config.endpoint_url) != "score"

    def ends_with_done(self, config: LLMConfig) -> bool:
        return self.streams(config)

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": call.text, "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        return parse_record(value, ("generated_text",))

    def read_event(self, event: Event) -> Chunk | None:
        value = parse_event(event)
        if value is None:
            return None
        token = value.get("token")
        if not isinstance(token, dict):
            raise make_missing_text_error(value)
        details = value.get("details")
        details = details if isinstance(details, dict) else {}
        is_last = isinstance(value.get("generated_text"), str)
        return Chunk(
            text="" if token.get("special") else extract_text(token.get("text")),
            usage=Usage.from_wire({"completion_tokens": details.get("generated_tokens")}),
            finish_reason=text_or_none(details.get("finish_reason")) or ("stop" if is_last else None),
        )

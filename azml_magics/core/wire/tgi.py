"""Hugging Face Text Generation Inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..response import Chunk, Response, Usage
from .base import Call, Payload, Wire, to_json
from .event_reader import EventReader
from .events import parse_event
from .failures import make_empty_text_error
from .huggingface import GENERATION_KWARGS
from .json_body import text_or_none
from .openai_content import extract_text
from .reasoning import ReasoningSplitter, split_reasoning
from .records import find_text

if TYPE_CHECKING:
    from ..config import LLMConfig
    from .sse import Event


class TGIWire(Wire):
    """`{"inputs": p, "parameters": {…}}` -> `{"generated_text": t, "details": …}` on /generate.

    Streamed on /generate_stream: events `{"token": {"text": t, "special": …}}`. The last one repeats the whole text in
    `generated_text`; there is no [DONE].

    Source: Hugging Face TGI, whose route registry deployments publish as their scoring route.
    """

    routes = ("generate", "generate_stream", "score")
    known_kwargs = GENERATION_KWARGS
    limit_kwarg = "max_new_tokens"

    def url(self, config: LLMConfig, *, stream: bool) -> str:
        url = super().url(config, stream=stream)
        head, query_mark, query = url.partition("?")
        if self.streams(config):
            slash = "/" if head.endswith("/") else ""
            head = head.rstrip("/").removesuffix("_stream") + ("_stream" if stream else "") + slash
        return head + query_mark + query

    def streams(self, config: LLMConfig) -> bool:
        return endpoints.route_of(config.endpoint_url) != "score"

    def encode(self, call: Call) -> Payload:
        return Payload(to_json({"inputs": call.text, "parameters": call.kwargs}))

    def parse_response(self, value: Any) -> Response:
        text = find_text(value, ("generated_text",))
        usage, finish_reason = _parse_details(value)
        if not text and finish_reason is None:
            raise make_empty_text_error()
        reasoning, text = split_reasoning(text)
        return Response(text, reasoning=reasoning, raw=value, usage=usage, finish_reason=finish_reason)

    def event_reader(self, call: Call) -> EventReader:  # noqa: ARG002 - Wire's signature
        return _TokenReader()


class _TokenReader(EventReader):
    """Reads events of one token each; the one with the whole text, or with a finish reason, is the last."""

    def __init__(self) -> None:
        self._splitter = ReasoningSplitter()

    def read(self, event: Event) -> Chunk | None:
        value = parse_event(event)
        token = value.get("token") if value is not None else None
        if value is None or not isinstance(token, dict):
            return None
        usage, finish_reason = _parse_details(value)
        if finish_reason is None and isinstance(value.get("generated_text"), str):
            finish_reason = "stop"
        piece = self._splitter.feed("" if token.get("special") else extract_text(token.get("text")))
        if finish_reason:
            self.is_over = self.is_complete = True
            piece = piece.then(self._splitter.finish())
        return Chunk(piece.text, piece.reasoning, usage=usage, finish_reason=finish_reason, retracts=piece.retracts)

    def finish(self) -> Chunk | None:
        rest = self._splitter.finish()
        return Chunk(rest.text, rest.reasoning, retracts=rest.retracts) if rest.text or rest.reasoning else None


def _parse_details(value: Any) -> tuple[Usage | None, str | None]:
    """Return the count of generated tokens and the finish reason, which TGI sends with `details: true`."""
    details = value.get("details") if isinstance(value, dict) else None
    if not isinstance(details, dict):
        return None, None
    usage = Usage.from_wire({"completion_tokens": details.get("generated_tokens")})
    return usage, text_or_none(details.get("finish_reason"))

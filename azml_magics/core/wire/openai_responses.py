"""The Responses API of OpenAI and Microsoft Foundry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import ResponseFormatError
from .base import Call, Kwarg, Payload, Pending, Wire, to_json
from .json_body import decode_json
from .openai_request import model_of
from .renaming import renaming_notices
from .responses_events import ResponsesReader
from .responses_input import ENCRYPTED_REASONING, LIMITS, rename_kwargs, split_instructions
from .responses_output import UNFINISHED, parse_response_object

if TYPE_CHECKING:
    from ..config import LLMConfig
    from ..response import Response

RESPONSES_KWARGS = (
    Kwarg(
        "max_output_tokens", "integer", "the most tokens to generate, reasoning included", minimum=16, maximum=131072
    ),
    Kwarg("reasoning_effort", "string", "none, minimal, low, medium, high or xhigh: how long the model thinks"),
    Kwarg("reasoning_summary", "string", "auto, concise or detailed: a summary of the model's thoughts"),
    Kwarg("verbosity", "string", "low, medium or high: the length of the response"),
    Kwarg("temperature", "number", "0 is nearly deterministic; reasoning models do not take it", 0, 2, default=1),
    Kwarg("top_p", "number", "sample from the likeliest tokens that make up this share", 0, 1, default=1),
    Kwarg("response_format", "object", 'such as {"type": "json_object"}; sent as text.format'),
    Kwarg("tools", "object", "functions that the model may ask to call"),
    Kwarg("tool_choice", "string", "auto, none, required, or one tool"),
    Kwarg("background", "boolean", "work on it in the background: for models that take minutes"),
    Kwarg("previous_response_id", "string", "continue a response that the server has stored"),
    Kwarg("store", "boolean", "let the server store the response; this package sends false unless it is needed"),
)
_NO_REASONING = re.compile(r"gpt-[34]", re.IGNORECASE)  # names that spare a request which would be refused
# Kwargs that refer to what the server has stored, or make it store the response.
_NEED_STORAGE = ("background", "previous_response_id", "conversation")


class OpenAIResponsesWire(Wire):
    """`{"model": m, "instructions": s, "input": […], …}` -> `{"status": …, "output": [items], "usage": …}`.

    Streamed: events whose `type` begins with "response."; the last is response.completed, .incomplete or .failed. A
    response with the status queued or in_progress is asked for until it is ready.

    Sources: Microsoft Foundry documentation, "Responses API"; OpenAI API reference.
    """

    chat = True
    api_types = ("dedicated", "serverless")
    routes = ("responses",)
    neighbours = ("chat/completions",)
    known_kwargs = RESPONSES_KWARGS
    takes_response_format = True
    takes_items = True
    limit_kwarg = "max_output_tokens"

    def streams(self, config: LLMConfig) -> bool:
        """Return whether a response can arrive in chunks: not one that is made in the background."""
        return not config.model_kwargs.get("background")

    def notices(self, config: LLMConfig) -> tuple[str, ...]:
        return (*super().notices(config), *renaming_notices(config.model_kwargs, LIMITS))

    def encode(self, call: Call) -> Payload:
        body = _make_body(call, self.url(call.config, stream=call.stream))
        if body.get("store") is not False or "include" in body or not _may_reason(body):
            return Payload(to_json(body))
        encrypted = {**body, "include": [ENCRYPTED_REASONING]}
        return Payload(to_json(encrypted), fallback=to_json(body))  # models that do not reason refuse it

    def parse_response(self, value: Any) -> Response:
        return parse_response_object(value)

    def event_reader(self, call: Call) -> ResponsesReader:  # noqa: ARG002 - the events say all
        return ResponsesReader()

    def find_pending(self, body: bytes, url: str) -> Pending | None:
        if not any(f'"{status}"'.encode() in body for status in UNFINISHED):
            return None
        try:
            value = decode_json(body)
        except ResponseFormatError:  # `decode` says so
            return None
        is_unfinished = isinstance(value, dict) and value.get("status") in UNFINISHED
        if not is_unfinished or not isinstance(value.get("id"), str):
            return None
        path, mark, query = url.partition("?")
        place = f"{path.rstrip('/')}/{quote(value['id'], safe='')}"
        return Pending(f"{place}{mark}{query}", f"{place}/cancel{mark}{query}", value["status"])


def _make_body(call: Call, url: str) -> dict[str, Any]:
    """Return the request's body without `include`.

    Nothing is stored on the server unless the call needs it or says so; `store: null` sends no word about it.
    """
    kwargs = rename_kwargs(call.kwargs)
    instructions, items = split_instructions(call.messages, is_stored=bool(kwargs.get("store")))
    body: dict[str, Any] = {}
    if model := model_of(call.config, url):
        body["model"] = model
    if instructions:
        body["instructions"] = instructions
    body |= {"input": items, **kwargs}
    for name in ("stream", "stream_options"):  # of the chat route; usage always comes
        body.pop(name, None)
    if call.stream:
        body["stream"] = True
    if not any(body.get(name) for name in _NEED_STORAGE):
        body.setdefault("store", False)
    if body.get("store", False) is None:
        del body["store"]
    return body


def _may_reason(body: dict[str, Any]) -> bool:
    """Return whether the next turn may need the reasoning of this one: with tools, or if reasoning is asked for."""
    if body.get("tools") and not _NO_REASONING.match(str(body.get("model", ""))):
        return True
    return bool(body.get("reasoning"))

"""Anthropic's Messages API, which Claude in Microsoft Foundry speaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .anthropic_events import AnthropicReader
from .anthropic_input import DEFAULT_MAX_TOKENS, LIMITS, STOPS, declare_called_tools, rename_kwargs, split_system
from .anthropic_output import parse_message
from .base import Call, Kwarg, Payload, Wire, to_json
from .openai_request import model_of
from .renaming import renaming_notices

if TYPE_CHECKING:
    from ..config import LLMConfig
    from ..response import Response

ANTHROPIC_KWARGS = (
    Kwarg(
        "max_tokens", "integer", "the most tokens to generate, thoughts included", 1, 128000, default=DEFAULT_MAX_TOKENS
    ),
    Kwarg("reasoning_effort", "string", "low, medium, high, xhigh or max; sent as output_config.effort"),
    Kwarg(
        "thinking", "object", 'such as {"type": "adaptive"}; older models: {"type": "enabled", "budget_tokens": 2048}'
    ),
    Kwarg("cache_control", "object", 'such as {"type": "ephemeral"}: the next turn reads this one from the cache'),
    Kwarg("temperature", "number", "0 is nearly deterministic; newer models do not take it", 0, 1, default=1),
    Kwarg("top_p", "number", "sample from the likeliest tokens that make up this share", 0, 1),
    Kwarg("top_k", "integer", "sample from this many likeliest tokens", minimum=1, maximum=500),
    Kwarg("stop_sequences", "strings", "stop before any of these texts"),
    Kwarg("tools", "object", "functions that the model may ask to call"),
    Kwarg("tool_choice", "string", "auto, none, required, or one tool"),
)
VERSION = "2026-10-21"
SAMPLING_VERSION = "2023-06-01"
"""The last version that takes sampling kwargs; later ones refuse them even at their defaults."""
_CUT = f"The answer was cut at {DEFAULT_MAX_TOKENS} tokens, which is the limit unless max_tokens is set."
_DEFAULT_LIMIT = f"max_tokens is not set: {DEFAULT_MAX_TOKENS} is sent, because the route requires a limit."
_SAMPLING = ("temperature", "top_p", "top_k")


class AnthropicMessagesWire(Wire):
    """`{"model": m, "max_tokens": n, "system": s, "messages": […], …}` -> `{"content": [blocks], "usage": …}`.

    Streamed: events from message_start to message_stop.

    Sources: Anthropic API reference; Microsoft Foundry documentation, "Claude in Microsoft Foundry".
    """

    chat = True
    api_types = ("dedicated", "serverless")
    routes = ("messages",)
    known_kwargs = ANTHROPIC_KWARGS
    takes_response_format = True
    takes_items = True

    def streams(self, config: LLMConfig) -> bool:  # noqa: ARG002 - every such route streams
        return True

    def notices(self, config: LLMConfig) -> tuple[str, ...]:
        kwargs = config.model_kwargs
        renamed = (*renaming_notices(kwargs, LIMITS), *renaming_notices(kwargs, STOPS))
        return renamed if any(name in kwargs for name in LIMITS) else (_DEFAULT_LIMIT, *renamed)

    def encode(self, call: Call) -> Payload:
        kwargs = rename_kwargs(call.kwargs)
        system, turns = split_system(call.messages)
        body: dict[str, Any] = {}
        url = self.url(call.config, stream=call.stream)
        if model := model_of(call.config, url):
            body["model"] = model
        body["max_tokens"] = kwargs.pop("max_tokens")
        if system:
            body["system"] = system
        if not kwargs.get("tools"):
            kwargs |= declare_called_tools(turns)
        body |= {"messages": turns, **kwargs}
        for name in ("stream", "stream_options"):  # of the chat route; usage always comes
            body.pop(name, None)
        if call.stream:
            body["stream"] = True
        version = SAMPLING_VERSION if any(name in body for name in _SAMPLING) else VERSION
        return Payload(to_json(body), {"anthropic-version": version})

    def annotate(self, response: Response, call: Call) -> Response:
        response = super().annotate(response, call)
        counted = response.usage.completion_tokens if response.usage else None
        has_limit = any(name in call.config.model_kwargs for name in LIMITS)
        if has_limit or response.notices or not response.is_truncated or (counted or 0) < DEFAULT_MAX_TOKENS:
            return response
        return replace(response, notices=(_CUT,))

    def parse_response(self, value: Any) -> Response:
        return parse_message(value)

    def event_reader(self, call: Call) -> AnthropicReader:  # noqa: ARG002 - the events say all
        return AnthropicReader()

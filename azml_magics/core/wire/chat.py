"""Chat dialects: messages with roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..messages import Message, text_of
from .base import Call, Formatter, Kwarg, Payload, to_json
from .completion import OPENAI_KWARGS, openai_payload, speaks_openai

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import LLMConfig

CHAT_KWARGS = (
    *OPENAI_KWARGS,
    Kwarg("response_format", "object", 'such as {"type": "json_object"}'),
    Kwarg("tools", "object", "functions that the model may ask to call"),
    Kwarg("tool_choice", "string", "auto, none, required, or one tool"),
)


class OpenAIChat(Formatter):
    """Chat: OpenAI's `{"messages": […], …}` on its routes; on /score of a dedicated endpoint
    `{"input_data": {"input_string": [messages], "parameters": {…}}}` -> `{"output": t}`.

    Sources: Azure AI Model Inference API reference; Azure ML curated images; LangChain's chat formatter.
    """

    name = "openai-chat"
    description = "chat: messages on OpenAI routes, input_data on /score of dedicated endpoints"
    chat = True
    api_types = ("dedicated", "serverless")
    routes = ("chat/completions", "score")
    known_kwargs = CHAT_KWARGS

    def url(self, config: LLMConfig, *, stream: bool) -> str:  # noqa: ARG002 - one route for both
        route = "chat/completions" if speaks_openai(config) else "score"
        return endpoints.request_url(config.endpoint_url, route, config.api_version)

    def streams(self, config: LLMConfig) -> bool:
        return speaks_openai(config)

    def ends_with_done(self, config: LLMConfig) -> bool:
        return speaks_openai(config)

    def arranged(self, messages: Sequence[Message]) -> list[Message]:
        """The messages as this dialect takes them."""
        return list(messages)

    def encode(self, call: Call) -> Payload:
        messages = self.arranged(call.messages)
        if speaks_openai(call.config):
            return openai_payload(call, {"messages": messages})
        return Payload(to_json({"input_data": {"input_string": messages, "parameters": call.kwargs}}))


class MistralChat(OpenAIChat):
    """Chat for templates that know no system role and want user and assistant to take turns (Mistral, Gemma).

    The system text goes into the first user message, and neighbours of one role become one message.
    Sources: the model's chat template; LangChain's MistralChatContentFormatter.
    """

    name = "mistral-chat"
    description = "chat for models without a system role: it joins the first user message"

    def arranged(self, messages: Sequence[Message]) -> list[Message]:
        system = [text_of(turn.get("content")) for turn in messages if turn.get("role") == "system"]
        turns: list[Message] = []
        for turn in messages:
            if turn.get("role") == "system":
                continue
            if turns and _may_join(turns[-1], turn):
                turns[-1]["content"] = _joined(turns[-1].get("content"), turn.get("content"))
            else:
                turns.append(dict(turn))
        if system:
            if not turns or turns[0].get("role") != "user":
                turns.insert(0, {"role": "user", "content": "\n\n".join(system)})
            else:
                turns[0]["content"] = _joined("\n\n".join(system), turns[0].get("content"))
        return turns


def _may_join(former: Message, latter: Message) -> bool:
    plain = {"role", "content"}
    return (
        former["role"] == latter.get("role")
        and former["role"] in {"user", "assistant"}
        and (plain.issuperset(former) and plain.issuperset(latter))
    )


def _joined(former: Any, latter: Any) -> Any:
    if isinstance(former, str) and isinstance(latter, str):
        return f"{former}\n\n{latter}"
    return [*_parts(former), *_parts(latter)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def default_for_route(url: str) -> str:
    """The formatter's name that the route of `url` implies, or "" where the route leaves it open (/score)."""
    if not url:
        return ""
    route = endpoints.route_of(url)
    if route == "completions":
        return "openai"
    if route.startswith("generate"):
        return "tgi"
    return "openai-chat" if route == "chat/completions" or endpoints.api_type_of(url) == "serverless" else ""

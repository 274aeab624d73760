"""Chat for models whose template has no system role, such as Mistral and Gemma: on OpenAI routes and on /score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..messages import text_of
from .input_data import InputDataChatWire
from .openai_chat import OpenAIChatWire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..messages import Message


class MistralChatWire(OpenAIChatWire):
    """OpenAI's chat without a system role, user and assistant in turns.

    Sources: the models' chat templates; LangChain's MistralChatContentFormatter.
    """

    takes_response_format = False

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        return alternate_roles(messages)


class MistralInputDataWire(InputDataChatWire):
    """The curated images' chat without a system role, user and assistant in turns.

    Sources: the models' chat templates; LangChain's MistralChatContentFormatter.
    """

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        return alternate_roles(messages)


def alternate_roles(messages: Sequence[Message]) -> list[Message]:
    """Return the messages without system role: its text goes into the first user message.

    Consecutive messages of one role become one message, unless they have tool calls or other keys.
    """
    system = [text_of(message.get("content")) for message in messages if message.get("role") == "system"]
    turns: list[Message] = []
    for message in messages:
        if message.get("role") == "system":
            continue
        if turns and _can_join(turns[-1], message):
            turns[-1]["content"] = _join_contents(turns[-1].get("content"), message.get("content"))
        else:
            turns.append(dict(message))
    if system:
        if not turns or turns[0].get("role") != "user":
            turns.insert(0, {"role": "user", "content": "\n\n".join(system)})
        else:
            turns[0]["content"] = _join_contents("\n\n".join(system), turns[0].get("content"))
    return turns


def _can_join(former: Message, latter: Message) -> bool:
    plain = {"role", "content"}
    same_role = former["role"] == latter.get("role") and former["role"] in {"user", "assistant"}
    return same_role and plain.issuperset(former) and plain.issuperset(latter)


def _join_contents(former: Any, latter: Any) -> Any:
    if isinstance(former, str) and isinstance(latter, str):
        return f"{former}\n\n{latter}"
    return [*_parts(former), *_parts(latter)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())

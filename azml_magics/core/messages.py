"""Messages of a conversation, in the form that OpenAI's chat routes take: made from prompts, read, written as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import PromptError

Message = dict[str, Any]
"""An OpenAI-style message: {"role": "system" | "user" | "assistant" | "tool", "content": text or parts, …}.

A message of the assistant may have the `items` of the Response that it comes from: wire formats that want them back
send them in place of the content, and the others leave them out. A message of a tool that failed has `is_error`, which
only those wire formats can say.
"""

_NOT_SENT = {"items", "is_error"}

_EXPECTED = 'Give a text, or a list of messages such as {"role": "user", "content": "…"}.'


def as_messages(
    prompt: str | Sequence[Message], system: str | None = None, *, keep_items: bool = True
) -> list[Message]:
    """Return `prompt` as a new list of messages.

    Args:
        prompt: A text, which becomes one user message, or messages with a role.
        system: The config's system text. It goes in front unless the prompt has a system message.
        keep_items: Whether messages keep their `items`.

    Raises:
        PromptError: The prompt is of another type, is an empty list, or holds a message without a role.
    """
    if isinstance(prompt, str):
        messages = [{"role": "user", "content": prompt}]
    elif _is_list(prompt):
        messages = [_copy_message(message) for message in prompt]
        if not keep_items:
            messages = [without_items(message) for message in messages]
    else:
        raise PromptError(f"{type(prompt).__name__!r} is not a prompt", remedy=_EXPECTED)
    if not messages:
        raise PromptError("There is no prompt", remedy="Pass a text or messages.", error_code="no-prompt")
    if system and not any(message.get("role") == "system" for message in messages):
        messages.insert(0, {"role": "system", "content": system})
    return messages


def _is_list(prompt: object) -> bool:
    return isinstance(prompt, Sequence) and not isinstance(prompt, bytes | bytearray)


def _copy_message(message: Any) -> Message:
    if not isinstance(message, Mapping):
        raise PromptError(f"The prompt holds a {type(message).__name__!r} in place of a message", remedy=_EXPECTED)
    if not (isinstance(message.get("role"), str) and message["role"]):
        raise PromptError("A message of the prompt has no role", remedy=_EXPECTED)
    return dict(message)


def without_items(message: Message) -> Message:
    """Return a message as any wire format takes it: without what only some of them can say."""
    return {name: value for name, value in message.items() if name not in _NOT_SENT}


def text_of(content: Any) -> str:
    """Return the text of a message's content, which is a text or a list of parts.

    Raises:
        PromptError: A part is not text, such as an image.
    """
    if isinstance(content, str):
        return content
    if content is not None and not isinstance(content, (list, tuple)):
        raise PromptError(f"A message's content is of type {type(content).__name__!r}", remedy=_EXPECTED)
    return "".join(_text_of_part(part) for part in content or ())


def preview_text(message: Message) -> str:
    """Return a message's text for a display: other parts show as their type, such as "[image_url]", calls as text."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else [_preview_part(part) for part in content or ()]
    return " ".join(filter(None, [*parts, *describe_calls(message.get("tool_calls"))]))


def _preview_part(part: Any) -> str:
    return str(part.get("text", f"[{part.get('type')}]")) if isinstance(part, dict) else ""


def describe_calls(calls: Any) -> list[str]:
    """Return tool calls as text, such as "[called get_weather({"city": "Lisbon"})]", where only text can go."""
    functions = [call.get("function") or {} for call in calls or () if isinstance(call, dict)]
    return [f"[called {function.get('name')}({function.get('arguments', '')})]" for function in functions]


def _text_of_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") == "text":
        return str(part.get("text", ""))
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    raise PromptError(
        f"This formatter sends text only, and the prompt has a part of type {kind!r}",
        remedy="Use the formatter openai-chat with a deployment that takes images.",
        error_code="text-only-formatter",
    )


def flatten(messages: Sequence[Message]) -> str:
    """Return the messages as one text, for wire formats without roles.

    One message alone stays as it is. System texts come first. In a conversation each text has its speaker in front,
    and the text ends in "Assistant:".
    """
    system = [text_of(message.get("content")) for message in messages if message.get("role") == "system"]
    turns = [message for message in messages if message.get("role") != "system"]
    if len(turns) <= 1:
        return "\n\n".join([*system, *(text_of(turn.get("content")) for turn in turns)])
    lines = [f"{str(turn.get('role', 'user')).capitalize()}: {_text_of_turn(turn)}" for turn in turns]
    return "\n\n".join([*system, *lines, "Assistant:"])


def _text_of_turn(turn: Message) -> str:
    return "\n".join(filter(None, [text_of(turn.get("content")), *describe_calls(turn.get("tool_calls"))]))

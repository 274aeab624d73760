"""The texts of a prompt that is a text or messages: their variables, and the prompt with other texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..messages import Message


def find_texts(prompt: str | Sequence[Message]) -> list[str]:
    """Return every text of the prompt that may hold variables."""
    if isinstance(prompt, str):
        return [prompt]
    contents = [message.get("content") for message in prompt]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [text for text in (*contents, *(part.get("text") for part in parts)) if isinstance(text, str)]


def find_prompt_variables(prompt: str | Sequence[Message], columns: Sequence[str] = ()) -> list[str]:
    """Return the names of the variables in the prompt's texts, each once.

    Args:
        prompt: A text or messages.
        columns: Names that are variables even if they are not identifiers.
    """
    found = (name for text in find_texts(prompt) for name in template.find_variables(text, columns))
    return list(dict.fromkeys(found))


def render_message(message: Message, render: Callable[[str], str]) -> Message:
    """Return the message with each of its texts rendered."""
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": render(content)}
    if not isinstance(content, list):
        return message
    parts = [{**part, "text": render(part["text"])} if "text" in part else part for part in content]
    return {**message, "content": parts}

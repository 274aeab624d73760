"""One turn of a conversation in the panel: a message, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.core.messages import preview_text

if TYPE_CHECKING:
    from azml_magics.core.messages import Message
    from azml_magics.core.response import Response


@dataclass(frozen=True, eq=False)
class Turn:
    """One message of a conversation.

    Attributes:
        id: Identifies it in its tree.
        message: The message, with the items of its response if it has any.
        model: The model that wrote it, as `conversations.model_of` names it; "" if nothing is known of that.
        response: The response that it is the text of; for a question that got no answer, what had arrived of one.
        failure: Why it got no answer, in one line; "" if it did or was not asked.
        is_edited: Whether its text was edited.
        steps: The calls of tools that led to it, and their results, as messages.
    """

    id: str
    message: Message
    model: str = ""
    response: Response | None = None
    failure: str = ""
    is_edited: bool = False
    steps: tuple[Message, ...] = ()

    @property
    def role(self) -> str:
        """Who wrote it: "user", "assistant", ..."""
        return str(self.message.get("role", ""))

    @property
    def text(self) -> str:
        """Its text, without attachments."""
        content = self.message.get("content")
        if isinstance(content, str):
            return content
        return "\n".join(str(part.get("text", "")) for part in _parts(content) if part.get("type") == "text")

    @property
    def preview(self) -> str:
        """Its text, with attachments by their type."""
        return preview_text(self.message)

    def with_text(self, text: str) -> Turn:
        """Return the turn with another text, the same attachments, and nothing of what made the former text."""
        others = [part for part in _parts(self.message.get("content")) if part.get("type") != "text"]
        content = [{"type": "text", "text": text}, *others] if others else text
        return Turn(self.id, {"role": self.role, "content": content}, is_edited=True, steps=self.steps)


def _parts(content: Any) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list | tuple) else []

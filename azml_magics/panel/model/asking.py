"""A question of a conversation on its way to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azml_magics.core.messages import Message

    from .turn import Turn


class Asking(NamedTuple):
    """A question that was sent and has no answer yet.

    Attributes:
        conversation: Its conversation.
        turn: The question as it was sent.
        before: The turns of the conversation before it, as they were sent.
        prefix: The messages of a prompt before its last one, which is the question: a template may make several.
    """

    conversation: str
    turn: Turn
    before: Sequence[Turn]
    prefix: Sequence[Message] = ()

    def is_preceded_as_sent(self, way: Sequence[Turn]) -> bool:
        """Whether the turns up to the question still are those that it was sent with."""
        own = 1 + sum(message.get("role") != "system" for message in self.prefix)
        return [turn.message for turn in way[:-own]] == [turn.message for turn in self.before]

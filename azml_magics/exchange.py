"""Exchange: one prompt and its response, as the session's history keeps it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from .core.messages import preview_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .core.config import LLMConfig
    from .core.messages import Message
    from .core.response import Response


UNFINISHED: Final = "The kernel ended before the response arrived"


@dataclass(frozen=True)
class Exchange:
    """One prompt and its response.

    Attributes:
        number: 1 for the first exchange of the session; 0, -1, -2, … for those of earlier sessions, the newest first.
        config: The config that the prompt was sent with.
        messages: The messages that were sent.
        response: The response; with an `error`, what had arrived of it, or None.
        error: Why the request failed, or None.
        recorded_at: When it was recorded, in UTC.
        id: Identifies it in every session and in the history file.
        notes: What was said of it later, as JSON data: a name, a rating, ...
    """

    number: int
    config: LLMConfig
    messages: Sequence[Message]
    response: Response | None = None
    error: BaseException | None = field(default=None, repr=False)
    recorded_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_earlier(self) -> bool:
        """Whether it was read from the history file: an earlier session, or another one, has recorded it."""
        return self.number <= 0

    @property
    def is_unfinished(self) -> bool:
        """Whether the history file has the request only: its kernel ended, or is still waiting for the response."""
        return getattr(self.error, "cause", "") == UNFINISHED

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return preview_text(message)
        return ""

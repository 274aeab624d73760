"""Reads the events of a stream, one object for each stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from .events import is_done

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..response import Chunk
    from .sse import Event


class EventReader(ABC):
    """Reads the events of one stream. It may keep state: a wire makes one for each stream.

    Attributes:
        announces_end: Whether a complete stream of this format says that it is complete.
        is_over: Whether the end marker has arrived: nothing that counts can follow, and reading may stop.
        is_complete: Whether the stream has said that the response is complete, by an end marker or a finish reason.
            A response without anything in it is not complete all the same.
        raw: What `Response.raw` is to hold: all that came, if more than the answer did; else None.
    """

    announces_end: bool = True
    is_over: bool = False
    is_complete: bool = False
    raw: Any = None

    @abstractmethod
    def read(self, event: Event) -> Chunk | None:
        """Return what one event adds to the response; None for an event that adds nothing.

        Raises:
            AzmlError: The event reports a failure, or cannot be read.
        """

    def finish(self) -> Chunk | None:
        """Return what is left at the end of the stream, such as a text that was held back; None if nothing is."""
        return None


class StatelessEventReader(EventReader):
    """Reads events that need no state. [DONE] ends the stream; a finish reason completes the response.

    Args:
        read_event: Returns what one event adds.
    """

    def __init__(self, read_event: Callable[[Event], Chunk | None]) -> None:
        self._read_event = read_event

    def read(self, event: Event) -> Chunk | None:
        if is_done(event):
            self.is_over = self.is_complete = True
            return None
        chunk = self._read_event(event)
        self.is_complete = self.is_complete or bool(chunk and chunk.finish_reason)
        return chunk

"""Reads a body of events: bytes in, chunks out, and the response so far. No I/O and no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import AzmlError, ResponseFormatError, StreamInterruptedError
from ..response import Response
from .charset import has_invalid_utf8
from .completeness import NOT_UTF8, is_empty
from .failures import is_filtered, make_empty_text_error, raise_if_filtered
from .response_builder import ResponseBuilder
from .sse import Event, SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..response import Chunk
    from .event_reader import EventReader

_NO_END = "The stream ended without saying that the answer is complete."
_REMEDY = "What had arrived is kept in error.response. Try again, or raise the deployment's request_timeout_ms."


class EventStream:
    """Reads one body of events: `feed` each piece of it, then `close`.

    Args:
        events: The wire format's reader.
    """

    def __init__(self, events: EventReader) -> None:
        self._events = events
        self._decoder = SSEDecoder()
        self._builder = ResponseBuilder()
        self._notices: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing that counts can follow: the wire format's end marker has arrived."""
        return self._events.is_over

    @property
    def is_complete(self) -> bool:
        """Whether the stream has said that the response is complete, and there is something in it."""
        return self._events.is_complete and not is_empty(self.response)

    @property
    def response(self) -> Response:
        """What has arrived."""
        base = Response("", raw=self._events.raw, notices=tuple(self._notices))
        return self._builder.build(base)

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """Return an iterator of the chunks that a piece of the body completes; of none after the end marker."""
        return iter(()) if self._events.is_over else self._read(self._decoder.feed(piece))

    def close(self, *, is_whole: bool = True) -> Iterator[Chunk]:
        """Yield the chunks that the end of the body completes.

        Args:
            is_whole: Whether the body certainly ends here; else a stream without its end marker was cut off.

        Raises:
            StreamInterruptedError: The response is not complete.
            ModelError: It is complete, and nothing is in it.
        """
        ends_within_event = False
        if not self.is_over:
            try:
                yield from self._read(self._decoder.flush())
            except ResponseFormatError:
                ends_within_event = True
        yield from self.flush()
        response = self.response
        if is_empty(response):
            if self._events.is_complete:
                raise make_empty_text_error()
            raise StreamInterruptedError("The stream ended without any text", remedy=_REMEDY)
        if not self._events.is_complete and self._events.announces_end:
            if ends_within_event or not is_whole:
                raise StreamInterruptedError("The stream ended before the response was complete", remedy=_REMEDY)
            self._notices.append(_NO_END)

    def flush(self) -> Iterator[Chunk]:
        """Yield what the wire format's reader has held back."""
        chunk = self._events.finish()
        if chunk is not None:
            yield from self._add(chunk)

    def _read(self, events: Iterable[Event]) -> Iterator[Chunk]:
        for event in events:
            try:
                chunk = self._events.read(self._as_utf8(event))
            except AzmlError:
                if self.is_complete:  # nothing that follows makes it an error
                    continue
                raise
            if chunk is not None:
                yield from self._add(chunk)
            if self._events.is_over:
                return

    def _as_utf8(self, event: Event) -> Event:
        if not has_invalid_utf8(event.data):
            return event
        if NOT_UTF8 not in self._notices:
            self._notices.append(NOT_UTF8)
        return Event(event.type, event.data.decode("utf-8", "replace").encode())

    def _add(self, chunk: Chunk) -> tuple[Chunk, ...]:
        """Collect a chunk; return those of it that belong to the first choice."""
        self._builder.add(chunk)
        if is_filtered(chunk.finish_reason):
            raise_if_filtered(chunk.finish_reason, self.response)
        if not chunk.others:
            return (chunk,) if chunk.index == 0 else ()
        return tuple(each for each in (chunk, *chunk.others) if each.index == 0)

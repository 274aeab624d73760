"""Reads a streamed response: bytes in, Chunks out, and the Response so far. No I/O: sync and async streams share it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import APIConnectionError, AzmlError, Interrupted, ResponseFormatError, StreamInterruptedError
from .http.connection_errors import connection_error
from .http.exchange import StreamBroken
from .response import Chunk, Response
from .wire.failures import raise_if_filtered
from .wire.response_builder import ResponseBuilder
from .wire.sse import SSEDecoder, is_event_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .call import PreparedCall
    from .http.exchange import HTTPResponse
    from .wire.sse import Event

DRAIN_SECONDS = 0.1  # for the end of the body, after that of the response: then its connection can be kept
_NO_END = "The stream ended without saying that the answer is complete."
_REMEDY = "What had arrived is kept in error.response. Try again, or raise the deployment's request_timeout_ms."


class StreamReader:
    """Reads one streamed response: `start`, `open`, `feed` each piece of the body, `close`.

    Args:
        prepared: The call that asked for the stream.
    """

    def __init__(self, prepared: PreparedCall) -> None:
        self._prepared = prepared
        self._start = time.perf_counter()
        self._first_token: float | None = None
        self._latency = 0.0
        self._base = Response("", config=prepared.config.name)
        self._builder = ResponseBuilder()
        self._whole: Response | None = None  # a response that did not come as events
        self._interrupted = False
        self._notices: list[str] = []
        self._decoder = SSEDecoder()
        self._events = prepared.wire.event_reader(prepared.call)
        self._http: HTTPResponse | None = None
        self._beginning = b""  # of the body, until it tells whether events follow; the whole body if none do
        self._has_events: bool | None = None
        self._is_draining = False

    @property
    def is_complete(self) -> bool:
        """Whether the endpoint has said that the response is complete, and there is something in it."""
        return self._whole is not None or (self._events.is_complete and self._builder.has_content)

    @property
    def is_over(self) -> bool:
        """Whether nothing that counts can follow: the wire format's end marker has arrived."""
        return self._events.is_over

    @property
    def response(self) -> Response:
        """What has arrived."""
        latency = self._latency or time.perf_counter() - self._start
        if self._whole is not None:
            return replace(self._whole, latency=latency, time_to_first_token=self._first_token)
        built = self._builder.build(self._base)
        reason = "interrupted" if self._interrupted and not built.finish_reason else built.finish_reason
        return replace(
            built,
            finish_reason=reason,
            latency=latency,
            time_to_first_token=self._first_token,
            notices=(*built.notices, *self._notices),
        )

    def start(self) -> None:
        """Start the clock; a stream may exist long before anything reads it."""
        self._start = time.perf_counter()

    def open(self, response: HTTPResponse) -> bool:
        """Read the response's headers; False if its body has already been read."""
        self._http = response
        self._base = replace(self._base, **self._prepared.source_of(response))
        return response.stream is not None

    def feed_whole(self, response: HTTPResponse) -> Chunk:
        """Read a response that did not stream as one chunk."""
        self._note_first_token()
        self._whole = last = self._prepared.decode(response, self._first_token or 0.0, self._first_token)
        self._latency = last.latency
        calls = tuple({"index": index, **call} for index, call in enumerate(last.tool_calls))
        return Chunk(
            last.text,
            last.reasoning,
            calls,
            last.usage,
            last.finish_reason,
            last.logprobs,
            last.model,
            filters=last.filters,
            items=last.items,
        )

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """Yield the chunks that a piece of the body completes; none after the response's end marker."""
        if self._has_events is None or not self._has_events:
            piece = self._recognise(piece)
        if self._has_events and not self.is_over:
            yield from self._read(self._decoder.feed(piece))

    def _recognise(self, piece: bytes, *, is_all: bool = False) -> bytes:
        """Keep the body until it is known to be a stream of events; return what has to be read of it then."""
        self._beginning += piece
        if self._has_events is None:
            content_type = self._http.headers.get("content-type", "") if self._http else ""
            self._has_events = is_event_stream(self._beginning, content_type, is_all=is_all)
        return self._beginning

    def leave_if_over(self, response: HTTPResponse) -> bool:
        """Stop the clock once the response is over, and limit the reads of the rest of its body to `DRAIN_SECONDS`.

        Reading on then ends soon, with the end of the body or an error that `failure_from` passes over.

        Returns:
            True if the body must not be read on, because nothing can limit its reads.
        """
        if self.is_over and not self._is_draining:
            self._is_draining = True
            self.stop_clock()
            if response.limit_reads is None:
                return True
            response.limit_reads(DRAIN_SECONDS)
        return False

    def close(self) -> Iterator[Chunk]:
        """Yield the chunks that the end of the body completes.

        Raises:
            StreamInterruptedError: The response is not complete.
        """
        if self._has_events is None:
            rest = self._recognise(b"", is_all=True)
            yield from self._read(self._decoder.feed(rest)) if self._has_events else ()
        if not self._has_events:
            assert self._http is not None
            yield self.feed_whole(replace(self._http, body=self._beginning, stream=None))
            return
        ends_within_event = False
        if not self.is_over:
            try:
                yield from self._read(self._decoder.flush())
            except ResponseFormatError:
                ends_within_event = True
        yield from self._add(self._events.finish())
        if not self._builder.has_content:
            raise StreamInterruptedError("The stream ended without any text", remedy=_REMEDY)
        if not self.is_complete and (ends_within_event or not self._ended_cleanly()):
            raise StreamInterruptedError("The stream ended before the response was complete", remedy=_REMEDY)
        if not self.is_complete and self._events.announces_end:
            self._notices.append(_NO_END)
        self.stop_clock()

    def _ended_cleanly(self) -> bool:
        """Whether the body's end is certain: a stream without an end marker may otherwise have been cut off."""
        headers = self._http.headers if self._http else {}
        has_length = "transfer-encoding" in headers or "content-length" in headers
        return has_length or not self._events.announces_end

    def stop_clock(self) -> None:
        """Note the latency, once."""
        self._latency = self._latency or time.perf_counter() - self._start

    def _read(self, events: list[Event]) -> Iterator[Chunk]:
        for event in events:
            try:
                chunk = self._events.read(event)
            except AzmlError:
                if self.is_complete:  # nothing that follows makes it an error
                    continue
                raise
            yield from self._add(chunk)
            if self.is_over:
                return

    def _add(self, chunk: Chunk | None) -> Iterator[Chunk]:
        """Collect a chunk; yield it if it belongs to the first choice."""
        if chunk is None:
            return
        self._builder.add(chunk)
        if chunk.text or chunk.reasoning or chunk.tool_calls:
            self._note_first_token()
        raise_if_filtered(chunk.finish_reason)
        for each in (chunk, *chunk.others):
            if each.index == 0:
                yield each

    def _note_first_token(self) -> None:
        if self._first_token is None:
            self._first_token = time.perf_counter() - self._start

    # ---- ends before the end ----

    def failure_from(self, error: Exception) -> AzmlError | None:
        """Turn what was raised while reading into the error to raise, with its context and what had arrived.

        Returns:
            The error, or None if the response is complete: how its connection ends does not matter.
        """
        if isinstance(error, AzmlError):
            failure = error
        elif self.is_complete:
            return None
        else:
            failure = self._network_failure(error)
        self.stop_clock()
        failure.response = failure.response or self.response
        failure.add_context(deployment=self._base.deployment, request_id=self._base.request_id)
        failure.add_context(request_id=self._http.client_request_id if self._http else "")
        return self._prepared.add_context(failure)

    def _network_failure(self, error: Exception) -> AzmlError:
        if not isinstance(error, StreamBroken):
            raise error
        failure = connection_error(error.failure, self._prepared.request)
        if isinstance(failure, APIConnectionError):
            failure = StreamInterruptedError(f"The stream broke off: {error}", remedy=_REMEDY)
            failure.__cause__ = error.__cause__
        return failure

    def interrupt(self) -> Interrupted:
        """The exception for a kernel interrupt, with what had arrived."""
        self.stop_clock()
        self._interrupted = True
        return Interrupted(self.response)

"""Reads a streamed response: bytes in, Chunks out, and the Response so far. No I/O: sync and async streams share it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .errors import APIConnectionError, AzmlError, Interrupted, StreamInterruptedError
from .http.connection_errors import connection_error
from .http.exchange import StreamBroken
from .response import Chunk, Response
from .stream_redaction import StreamRedactor, keys_to_mask, redact_response
from .wire.charset import Transcoder
from .wire.event_stream import EventStream
from .wire.sse import is_event_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .call import PreparedCall
    from .http.exchange import HTTPResponse

DRAIN_SECONDS = 0.1  # for the end of the body, after that of the response: then its connection can be kept
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
        self._http: HTTPResponse | None = None
        self._source: dict[str, Any] = {}  # what its headers tell
        self._beginning = bytearray()  # of the body, until it tells whether events follow; the whole body if none do
        self._has_events: bool | None = None
        self._transcoder = Transcoder("")
        self._events = EventStream(prepared.wire.event_reader(prepared.call))
        self._redactor = StreamRedactor(())
        self._whole: Response | None = None  # a response that did not come as events
        self._is_interrupted = self._is_draining = False

    @property
    def is_complete(self) -> bool:
        """Whether the endpoint has said that the response is complete, and there is something in it."""
        return self._whole is not None or self._events.is_complete

    @property
    def is_over(self) -> bool:
        """Whether nothing that counts can follow: the wire format's end marker has arrived."""
        return self._events.is_over

    @property
    def response(self) -> Response:
        """What has arrived."""
        prepared = self._prepared
        response = self._whole or prepared.wire.annotate(self._events.response, prepared.call)
        response = redact_response(response, self._redactor.keys)
        if self._is_interrupted and response.finish_reason is None:
            response = replace(response, finish_reason="interrupted")
        return response.replace(
            latency=self._latency or time.perf_counter() - self._start,
            time_to_first_token=self._first_token,
            config=prepared.config.name,
            **self._source,
        )

    def start(self) -> None:
        """Start the clock; a stream may exist long before anything reads it."""
        self._start = time.perf_counter()

    def open(self, response: HTTPResponse) -> bool:
        """Read the response's headers; False if its body has already been read."""
        self._http = response
        self._source = self._prepared.source_of(response)
        self._transcoder = Transcoder(self._content_type)
        self._redactor = StreamRedactor(keys_to_mask(self._prepared.secrets))
        return response.stream is not None

    @property
    def _content_type(self) -> str:
        return self._http.headers.get("content-type", "") if self._http else ""

    def feed_whole(self, response: HTTPResponse) -> Chunk:
        """Read a response that did not stream as one chunk."""
        self._note_first_token()
        self._whole = whole = self._prepared.decode(response, self._first_token or 0.0, self._first_token)
        self._latency = whole.latency
        calls = tuple({"index": index, **call} for index, call in enumerate(whole.tool_calls))
        about = {"logprobs": whole.logprobs, "model": whole.model, "filters": whole.filters, "items": whole.items}
        return Chunk(whole.text, whole.reasoning, calls, whole.usage, whole.finish_reason, **about)

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """Yield the chunks that a piece of the body completes; none after the response's end marker."""
        if not self._has_events:
            self._beginning += piece
            if self._has_events is None:
                self._has_events = is_event_stream(self._beginning, self._content_type)
            if not self._has_events:
                return
            piece = bytes(self._beginning)
        for chunk in self._events.feed(self._transcoder.feed(piece)):
            self._note_content(chunk)
            yield self._redactor.feed(chunk)

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
            AzmlError: It is complete, and there is nothing in it or it reports a failure.
        """
        if self._has_events is None and is_event_stream(self._beginning, self._content_type, is_all=True):
            self._has_events = True
            yield from map(self._redactor.feed, self._events.feed(self._transcoder.feed(bytes(self._beginning))))
        if not self._has_events:
            assert self._http is not None
            yield self.feed_whole(replace(self._http, body=bytes(self._beginning), stream=None))
            return
        headers = self._http.headers if self._http else {}
        has_length = "transfer-encoding" in headers or "content-length" in headers
        for chunk in self._events.close(is_whole=has_length):
            self._note_content(chunk)
            yield self._redactor.feed(chunk)
        yield from self._redactor.close()
        self.stop_clock()

    def stop_clock(self) -> None:
        """Note the latency, once."""
        self._latency = self._latency or time.perf_counter() - self._start

    def _note_content(self, chunk: Chunk) -> None:
        if chunk.text or chunk.reasoning or chunk.tool_calls:
            self._note_first_token()

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
        self._end_early()
        failure.response = failure.response or self.response
        failure.add_context(**{name: self._source.get(name, "") for name in ("deployment", "request_id")})
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
        self._is_interrupted = True
        self._end_early()
        return Interrupted(self.response)

    def _end_early(self) -> None:
        """Stop the clock, and take what was held back for a part of what arrived."""
        self.stop_clock()
        with contextlib.suppress(AzmlError):  # what ended the stream is the error
            for _ in self._events.flush():
                pass

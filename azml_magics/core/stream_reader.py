"""Reads a streamed response: bytes in, Chunks out, and the Response so far. No I/O: sync and async streams share it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .call import source_of
from .errors import APIConnectionError, AzmlError, Interrupted, ResponseFormatError, StreamInterruptedError
from .http.connection_errors import connection_error
from .response import Chunk, Response
from .wire.events import DONE
from .wire.failures import raise_if_filtered
from .wire.openai_choices import text_or_none
from .wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .call import PreparedCall
    from .http.exchange import HTTPResponse
    from .wire.sse import Event

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
        self._texts: list[str] = []
        self._reasonings: list[str] = []
        self._tool_calls: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []
        self._last = Response("", config=prepared.config.name)
        self._decoder = SSEDecoder()
        self._has_done_event = False
        self._is_draining = False

    @property
    def is_complete(self) -> bool:
        """Whether the endpoint has said that the response is complete."""
        return self._has_done_event or self._last.finish_reason is not None

    @property
    def response(self) -> Response:
        """What has arrived."""
        return replace(
            self._last,
            text=self._last.text or "".join(self._texts),
            reasoning=self._last.reasoning or "".join(self._reasonings),
            tool_calls=self._last.tool_calls or tuple(self._tool_calls[index] for index in sorted(self._tool_calls)),
            logprobs=self._last.logprobs or _merge_logprobs(self._logprobs),
            latency=time.perf_counter() - self._start if self._last.latency == 0 else self._last.latency,
            time_to_first_token=self._first_token,
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing that counts can follow: the wire format's end marker has arrived."""
        if self._has_done_event:
            return True
        has_reason = self._last.finish_reason is not None
        return has_reason and self._prepared.wire.ends_with_finish_reason(self._prepared.config)

    def start(self) -> None:
        """Start the clock; a stream may exist long before anything reads it."""
        self._start = time.perf_counter()

    def open(self, response: HTTPResponse) -> bool:
        """Read the response's headers; False if it is not a stream of events and has to be read as a whole."""
        self._last = replace(self._last, **source_of(response))
        is_events = "text/event-stream" in response.headers.get("content-type", "").lower()
        return response.stream is not None and is_events

    def feed_whole(self, response: HTTPResponse) -> Chunk:
        """Read a response that did not stream as one chunk."""
        self._first_token = time.perf_counter() - self._start
        self._last = last = self._prepared.decode(response, self._first_token, self._first_token)
        calls = tuple({"index": index, **call} for index, call in enumerate(last.tool_calls))
        return Chunk(last.text, last.reasoning, calls, last.usage, last.finish_reason, last.logprobs, last.model)

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """Yield the chunks that a piece of the body completes; none after the response's end marker."""
        if not self.is_over:
            yield from self._decode_events(self._decoder.feed(piece))

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
        if self.is_over:
            self.stop_clock()
            return
        ends_within_event = False
        try:
            yield from self._decode_events(self._decoder.flush())
        except ResponseFormatError:
            ends_within_event = True
        announces_end = self._prepared.wire.ends_with_done(self._prepared.config)
        if not self.is_complete and (ends_within_event or announces_end):
            raise StreamInterruptedError("The stream ended before the response was complete", remedy=_REMEDY)
        if not (self._texts or self._tool_calls or self._reasonings or self.is_complete):
            raise StreamInterruptedError("The stream ended without any text", remedy=_REMEDY)
        self.stop_clock()

    def stop_clock(self, finish_reason: str | None = None) -> None:
        """Note the latency, once, and the finish reason if the endpoint gave none."""
        latency = self._last.latency or time.perf_counter() - self._start
        self._last = replace(self._last, latency=latency, finish_reason=self._last.finish_reason or finish_reason)

    def _decode_events(self, events: list[Event]) -> Iterator[Chunk]:
        read_event = self._prepared.wire.read_event
        for event in events:
            if event.data == DONE:
                self._has_done_event = True
                return
            chunk = read_event(event)
            if chunk is not None:
                self._add(chunk)
                yield chunk
                if self.is_over:
                    return

    def _add(self, chunk: Chunk) -> None:
        if chunk.text:
            self._texts.append(chunk.text)
        if chunk.reasoning:
            self._reasonings.append(chunk.reasoning)
        if self._first_token is None and (chunk.text or chunk.reasoning or chunk.tool_calls):
            self._first_token = time.perf_counter() - self._start
        for fragment in chunk.tool_calls:
            _add_fragment(self._tool_calls, fragment)
        if chunk.logprobs:
            self._logprobs.append(chunk.logprobs)
        if chunk.usage or chunk.finish_reason or (chunk.model and not self._last.model):
            self._last = replace(
                self._last,
                usage=chunk.usage or self._last.usage,
                finish_reason=chunk.finish_reason or self._last.finish_reason,
                model=self._last.model or chunk.model,
            )
        if chunk.finish_reason:
            raise_if_filtered(chunk.finish_reason)

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
        failure.add_context(deployment=self._last.deployment, request_id=self._last.request_id)
        return self._prepared.add_context(failure)

    def _network_failure(self, error: Exception) -> AzmlError:
        from .http.connection import send_failure

        failure = connection_error(send_failure(error), self._prepared.request)
        if isinstance(failure, APIConnectionError):
            failure = StreamInterruptedError(f"The stream broke off: {error}", remedy=_REMEDY)
            failure.__cause__ = error
        return failure

    def interrupt(self) -> Interrupted:
        """The exception for a kernel interrupt, with what had arrived."""
        self.stop_clock("interrupted")
        return Interrupted(self.response)


def _add_fragment(calls: dict[int, dict[str, Any]], fragment: dict[str, Any]) -> None:
    """Append a streamed fragment of a tool call to the call that it belongs to."""
    index = fragment.get("index")
    call = calls.setdefault(index if isinstance(index, int) else len(calls), {"type": "function", "function": {}})
    if isinstance(fragment.get("id"), str) and fragment["id"]:
        call["id"] = fragment["id"]
    function = fragment.get("function")
    if isinstance(function, dict):
        known = call["function"]
        known["name"] = known.get("name") or text_or_none(function.get("name")) or ""
        known["arguments"] = known.get("arguments", "") + (text_or_none(function.get("arguments")) or "")


def _merge_logprobs(pieces: list[Any]) -> Any:
    contents = [
        piece["content"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("content"), list)
    ]
    return {"content": [token for content in contents for token in content]} if contents else None

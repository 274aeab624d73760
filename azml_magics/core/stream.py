"""Answers that arrive piece by piece: ResponseStream and AsyncResponseStream over one assembly of the pieces."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .call import Prepared, plan_of, prepare, read_answer
from .errors import APIConnectionError, AzmlError, Interrupted, ResponseFormatError, StreamInterruptedError
from .http import status_errors
from .http.retry import Answer, broken
from .response import Chunk, Response
from .wire import events as wire_events
from .wire import replies
from .wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from .config import LLMConfig
    from .messages import Message
    from .wire.sse import Event


class _Assembly:
    """Chunks in, the Response so far out; what the sync and the async stream share."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._start = time.perf_counter()
        self._first: float | None = None
        self._texts: list[str] = []
        self._reasonings: list[str] = []
        self._tools: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []
        self._last = Response("", config=prepared.config.name)
        self._decoder = SSEDecoder()
        self._done = False
        self.is_events = False

    @property
    def is_complete(self) -> bool:
        """Whether the endpoint has said that the answer is whole."""
        return self._done or self._last.finish_reason is not None

    @property
    def response(self) -> Response:
        """What has arrived."""
        return replace(
            self._last,
            text=self._last.text or "".join(self._texts),
            reasoning=self._last.reasoning or "".join(self._reasonings),
            tool_calls=self._last.tool_calls or tuple(self._tools[index] for index in sorted(self._tools)),
            logprobs=self._last.logprobs or _merged_logprobs(self._logprobs),
            latency=time.perf_counter() - self._start if self._last.latency == 0 else self._last.latency,
            time_to_first_token=self._first,
        )

    def started(self) -> None:
        """The clock runs from here: a stream may wait long before somebody reads it."""
        self._start = time.perf_counter()

    def opened(self, answer: Answer) -> None:
        self.is_events = "text/event-stream" in answer.headers.get("content-type", "").lower()
        self._last = replace(
            self._last,
            deployment=answer.headers.get("azureml-model-deployment", ""),
            request_id=status_errors.request_id(answer.headers),
        )

    def whole(self, answer: Answer) -> Chunk:
        """The one chunk of an answer that did not stream."""
        self._first = time.perf_counter() - self._start
        self._last = read_answer(self.prepared, answer, self._first, self._first)
        calls = tuple({"index": i, **call} for i, call in enumerate(self._last.tool_calls))
        last = self._last
        return Chunk(last.text, last.reasoning, calls, last.usage, last.finish_reason, last.logprobs, last.model)

    def fed(self, piece: bytes) -> Iterator[Chunk]:
        """The chunks that a piece of the body completes."""
        return self._chunks(self._decoder.feed(piece))

    def ended(self) -> Iterator[Chunk]:
        """The chunks that the end of the stream completes; StreamInterruptedError where the answer was not complete."""
        half_an_event = False
        try:
            yield from self._chunks(self._decoder.flush())
        except ResponseFormatError:
            half_an_event = True
        says_so = self.prepared.formatter.ends_with_done(self.prepared.config)
        if not self.is_complete and (half_an_event or says_so):
            raise StreamInterruptedError("The stream ended before the answer did", remedy=_CUT_OFF)
        if not (self._texts or self._tools or self._reasonings or self.is_complete):
            raise StreamInterruptedError("The stream ended without a word", remedy=_CUT_OFF)
        self.finished()

    def finished(self, reason: str | None = None) -> None:
        """Stop the clock, and note the reason where the endpoint gave none."""
        latency = self._last.latency or time.perf_counter() - self._start
        self._last = replace(self._last, latency=latency, finish_reason=self._last.finish_reason or reason)

    def _chunks(self, events: list[Event]) -> Iterator[Chunk]:
        read = self.prepared.formatter.read_event
        for event in events:
            if event.data == wire_events.DONE:
                self._done = True
                continue
            chunk = read(event)
            if chunk is not None:
                self._keep(chunk)
                yield chunk

    def _keep(self, chunk: Chunk) -> None:
        if chunk.text:
            self._texts.append(chunk.text)
        if chunk.reasoning:
            self._reasonings.append(chunk.reasoning)
        if self._first is None and (chunk.text or chunk.reasoning or chunk.tool_calls):
            self._first = time.perf_counter() - self._start
        for fragment in chunk.tool_calls:
            _add_fragment(self._tools, fragment)
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
            replies.raise_if_filtered(chunk.finish_reason)

    def failed(self, error: Exception) -> AzmlError:
        """The error to raise for one that came while reading, with its place and with what had arrived."""
        from .http import transport

        if isinstance(error, AzmlError):
            made = error
        else:
            made = broken(transport.broken(error), self.prepared.request)
            if isinstance(made, APIConnectionError):
                made = StreamInterruptedError(f"The stream broke off: {error}", remedy=_CUT_OFF)
                made.__cause__ = error
        self.finished()
        made.response = made.response or self.response
        made.add_context(deployment=self._last.deployment, request_id=self._last.request_id)
        return self.prepared.add_context(made)

    def interrupted(self) -> Interrupted:
        self.finished("interrupted")
        return Interrupted(self.response)


_CUT_OFF = "What had arrived is kept (%azureml last); ask again, or raise the deployment's request_timeout_ms."


def _add_fragment(tools: dict[int, dict[str, Any]], fragment: dict[str, Any]) -> None:
    """Lay a streamed piece of a tool call to the ones before it."""
    index = fragment.get("index")
    call = tools.setdefault(index if isinstance(index, int) else len(tools), {"type": "function", "function": {}})
    if isinstance(fragment.get("id"), str) and fragment["id"]:
        call["id"] = fragment["id"]
    function = fragment.get("function")
    if isinstance(function, dict):
        known = call["function"]
        known["name"] = known.get("name") or replies.string(function.get("name")) or ""
        known["arguments"] = known.get("arguments", "") + (replies.string(function.get("arguments")) or "")


def _merged_logprobs(pieces: list[Any]) -> Any:
    contents = [
        piece["content"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("content"), list)
    ]
    return {"content": [token for content in contents for token in content]} if contents else None


class ResponseStream:
    """An iterator of Chunks. `response` is what has arrived so far; leaving early closes the connection."""

    def __init__(self, config: LLMConfig, prompt: str | Sequence[Message]) -> None:
        self._prepared = prepare(config, prompt, stream=True)
        self._assembly = _Assembly(self._prepared)
        self._chunks = self._run()

    @property
    def response(self) -> Response:
        """What has arrived: the whole answer after the last chunk."""
        return self._assembly.response

    def __iter__(self) -> Generator[Chunk, None, None]:
        return self._chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the stream; what has arrived stays in `response`."""
        self._chunks.close()

    def _run(self) -> Generator[Chunk, None, None]:
        from .http import transport

        assembly = self._assembly
        pieces = None
        try:
            assembly.started()
            answer = transport.send(plan_of(self._prepared))
            assembly.opened(answer)
            if answer.stream is None:
                yield assembly.whole(answer)
                return
            pieces = answer.stream
            if not assembly.is_events:  # the server ignored "stream": true
                answer.body = b"".join(pieces)
                yield assembly.whole(answer)
                return
            for piece in pieces:
                yield from assembly.fed(piece)
            yield from assembly.ended()
        except KeyboardInterrupt:
            raise assembly.interrupted() from None
        except Exception as error:  # noqa: BLE001 - the network's and ours alike become one error with what had arrived
            if assembly.is_complete and not isinstance(error, AzmlError):
                return  # the answer is whole; how the connection ends does not matter
            raise assembly.failed(error) from error.__cause__ or (None if isinstance(error, AzmlError) else error)
        finally:
            assembly.finished()
            if pieces is not None:
                pieces.close()


class AsyncResponseStream:
    """What ResponseStream is, on the running event loop."""

    def __init__(self, config: LLMConfig, prompt: str | Sequence[Message]) -> None:
        self._prepared = prepare(config, prompt, stream=True)
        self._assembly = _Assembly(self._prepared)
        self._chunks = self._run()

    @property
    def response(self) -> Response:
        """What has arrived: the whole answer after the last chunk."""
        return self._assembly.response

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        return self._chunks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream; what has arrived stays in `response`."""
        await self._chunks.aclose()

    async def _run(self) -> AsyncGenerator[Chunk, None]:
        from .http import transport

        assembly = self._assembly
        pieces = None
        try:
            assembly.started()
            answer = await transport.asend(plan_of(self._prepared))
            assembly.opened(answer)
            if answer.stream is None:
                yield assembly.whole(answer)
                return
            pieces = answer.stream
            if not assembly.is_events:  # the server ignored "stream": true
                answer.body = b"".join([piece async for piece in pieces])
                yield assembly.whole(answer)
                return
            async for piece in pieces:
                for chunk in assembly.fed(piece):
                    yield chunk
            for chunk in assembly.ended():
                yield chunk
        except Exception as error:  # noqa: BLE001 - the network's and ours alike become one error with what had arrived
            if assembly.is_complete and not isinstance(error, AzmlError):
                return  # the answer is whole; how the connection ends does not matter
            raise assembly.failed(error) from error.__cause__ or (None if isinstance(error, AzmlError) else error)
        finally:
            assembly.finished()
            if pieces is not None:
                await pieces.aclose()

"""Responses that arrive piece by piece: ResponseStream, and AsyncResponseStream for event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stream_reader import StreamReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from types import TracebackType

    from typing_extensions import Self

    from .call import PreparedCall
    from .http.exchange import HTTPResponse
    from .response import Chunk, Response
    from .secret import Secret


class ResponseStream:
    """An iterator of Chunks, and a context manager that closes the connection if it is left early.

    Args:
        prepared: The call to send.
        send: Sends it, when the first chunk is asked for, and returns the response with its stream.
    """

    def __init__(self, prepared: PreparedCall, send: Callable[[PreparedCall], HTTPResponse]) -> None:
        self._prepared, self._send = prepared, send
        self._reader = StreamReader(prepared)
        self._chunks = self._run()

    @property
    def response(self) -> Response:
        """What has arrived: the whole response after the last chunk."""
        return self._reader.response

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The keys that were sent, which nothing may show."""
        return self._prepared.secrets

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
        reader, pieces = self._reader, None
        with self._prepared.trace(lambda: reader.response) as span:
            try:
                reader.start()
                with span.attach():
                    response = self._send(self._prepared)
                pieces = response.stream
                if reader.open(response):
                    for piece in pieces:
                        yield from reader.feed(piece)
                        if reader.leave_if_over(response):
                            break
                    yield from reader.close()
                else:  # the wire format cannot stream, or the server ignored "stream": true
                    response.body = response.body if pieces is None else b"".join(pieces)
                    yield reader.feed_whole(response)
            except KeyboardInterrupt:
                raise reader.interrupt() from None
            except Exception as error:  # noqa: BLE001 - every failure becomes one error with what had arrived
                piece = b""  # with its frames, a traceback would show what the server sent
                if (failure := reader.failure_from(error)) is not None:
                    raise failure.with_traceback(None) from failure.__cause__
            finally:
                reader.stop_clock()
                if pieces is not None:
                    pieces.close()


class AsyncResponseStream:
    """What ResponseStream is, on the running event loop.

    Args:
        prepared: The call to send.
        send: Sends it, when the first chunk is asked for, and returns the response with its stream.
    """

    def __init__(self, prepared: PreparedCall, send: Callable[[PreparedCall], Awaitable[HTTPResponse]]) -> None:
        self._prepared, self._send = prepared, send
        self._reader = StreamReader(prepared)
        self._chunks = self._run()

    @property
    def response(self) -> Response:
        """What has arrived: the whole response after the last chunk."""
        return self._reader.response

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The keys that were sent, which nothing may show."""
        return self._prepared.secrets

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
        reader, pieces = self._reader, None
        with self._prepared.trace(lambda: reader.response) as span:
            try:
                reader.start()
                with span.attach():
                    response = await self._send(self._prepared)
                pieces = response.stream
                if reader.open(response):
                    async for piece in pieces:
                        for chunk in reader.feed(piece):
                            yield chunk
                        if reader.leave_if_over(response):
                            break
                    for chunk in reader.close():
                        yield chunk
                else:  # the wire format cannot stream, or the server ignored "stream": true
                    response.body = response.body if pieces is None else b"".join([piece async for piece in pieces])
                    yield reader.feed_whole(response)
            except Exception as error:  # noqa: BLE001 - every failure becomes one error with what had arrived
                piece = b""  # with its frames, a traceback would show what the server sent
                if (failure := reader.failure_from(error)) is not None:
                    raise failure.with_traceback(None) from failure.__cause__
            finally:
                reader.stop_clock()
                if pieces is not None:
                    await pieces.aclose()

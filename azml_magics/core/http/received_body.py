"""The body of a response while it arrives; its end gives the connection back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .body import BodyReader
from .exchange import StreamBroken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping

    import httpx

    from .connection import Connection
    from .exchange import Request


class ReceivedBody:
    """An iterable of a body's pieces, decompressed and bounded. It has to be read to its end or closed.

    Args:
        request: What the response is for.
        response: The response of httpx.
        headers: The response's headers by lower-case name.
        connection: Where it comes from.
        release: Takes back a connection that can serve another request.
    """

    def __init__(
        self,
        request: Request,
        response: httpx.Response,
        headers: Mapping[str, str],
        connection: Connection,
        release: Callable[[Request, Connection], None],
    ) -> None:
        self.headers = headers
        self._request, self._response, self._connection, self._release = request, response, connection, release
        self._reader = _reader(request, response, headers)
        self._is_open, self._is_whole = True, False

    def __iter__(self) -> Generator[bytes, None, None]:
        try:
            yield from self.pieces()
        except Exception as error:
            raise StreamBroken(self._connection.failure(error, has_begun=True)) from error

    def pieces(self) -> Generator[bytes, None, None]:
        """Yield the pieces; raises what httpx, zlib and BodyReader raise."""
        reader = self._reader
        try:
            for raw in _raw_pieces(self._response):
                yield from reader.feed(raw)
                if reader.is_full:
                    return
            reader.finish()
            self._is_whole = True
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back, which is kept if the body was read to its end."""
        if self._is_open:
            self._is_open = False
            can_keep = self._is_whole and self._connection.has_ended(self.headers)
            if not can_keep:
                self._connection.close()
            self._response.close()
            if can_keep:
                self._release(self._request, self._connection)


class AsyncReceivedBody:
    """What ReceivedBody is, on an event loop."""

    def __init__(
        self,
        request: Request,
        response: httpx.Response,
        headers: Mapping[str, str],
        connection: Connection,
        release: Callable[[Request, Connection], Awaitable[None]],
    ) -> None:
        self.headers = headers
        self._request, self._response, self._connection, self._release = request, response, connection, release
        self._reader = _reader(request, response, headers)
        self._is_open, self._is_whole = True, False

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self.pieces():
                yield piece
        except Exception as error:
            raise StreamBroken(self._connection.failure(error, has_begun=True)) from error

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the pieces; raises what httpx, zlib and BodyReader raise."""
        reader = self._reader
        try:
            async for raw in _araw_pieces(self._response):
                for piece in reader.feed(raw):
                    yield piece
                if reader.is_full:
                    return
            reader.finish()
            self._is_whole = True
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Give the connection back, which is kept if the body was read to its end."""
        if self._is_open:
            self._is_open = False
            can_keep = self._is_whole and self._connection.has_ended(self.headers)
            if not can_keep:
                await self._connection.aclose()
            await self._response.aclose()
            if can_keep:
                await self._release(self._request, self._connection)


def _reader(request: Request, response: httpx.Response, headers: Mapping[str, str]) -> BodyReader:
    """The reader of the response's body; httpx has decompressed it if something, such as an event hook, has read it."""
    if response.is_stream_consumed:
        headers = {name: value for name, value in headers.items() if name != "content-encoding"}
    return BodyReader(request, response.status_code, headers)


def _raw_pieces(response: httpx.Response) -> Iterable[bytes]:
    """The body's pieces as they come. httpx's own iterators close the response, before it is checked."""
    if response.is_stream_consumed:
        return (response.content,)
    return () if response.is_closed else cast("httpx.SyncByteStream", response.stream)


async def _araw_pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:
        yield response.content
    elif not response.is_closed:
        async for raw in cast("httpx.AsyncByteStream", response.stream):
            yield raw

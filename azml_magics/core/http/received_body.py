"""The body of a response while it arrives; its end gives the connection back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .body import BodyReader
from .exchange import StreamBroken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

    import httpx

    from .connection import Connection
    from .exchange import Request


class _Release(Protocol):
    def __call__(self, request: Request, connection: Connection, *, can_keep: bool) -> None: ...


class _AsyncRelease(Protocol):
    async def __call__(self, request: Request, connection: Connection, *, can_keep: bool) -> None: ...


class ReceivedBody:
    """An iterable of a body's pieces, decompressed and bounded. It has to be read to its end or closed.

    Args:
        request: What the response is for.
        response: The response of httpx.
        headers: The response's headers by lower-case name.
        connection: Where it comes from.
        release: Takes the connection back.
    """

    def __init__(
        self,
        request: Request,
        response: httpx.Response,
        headers: Mapping[str, str],
        connection: Connection,
        release: _Release,
    ) -> None:
        self.headers = headers
        self._request, self._response, self._connection, self._release = request, response, connection, release
        self._reader = BodyReader(request, response.status_code, headers)
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
            for raw in self._response.iter_raw():
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
            self._response.close()
            can_keep = self._is_whole and self._connection.has_ended(self.headers)
            self._release(self._request, self._connection, can_keep=can_keep)


class AsyncReceivedBody:
    """What ReceivedBody is, on an event loop."""

    def __init__(
        self,
        request: Request,
        response: httpx.Response,
        headers: Mapping[str, str],
        connection: Connection,
        release: _AsyncRelease,
    ) -> None:
        self.headers = headers
        self._request, self._response, self._connection, self._release = request, response, connection, release
        self._reader = BodyReader(request, response.status_code, headers)
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
            async for raw in self._response.aiter_raw():
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
            await self._response.aclose()
            can_keep = self._is_whole and self._connection.has_ended(self.headers)
            await self._release(self._request, self._connection, can_keep=can_keep)

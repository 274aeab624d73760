"""httpcore's network for asyncio, written straight on asyncio's transports.

httpcore's own goes through anyio, which costs more than all the rest of a call. A request's head and body are kept
until the reply is waited for and go out together: one packet, one TLS record.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

_MOST_BUFFERED = 256 * 1024


class _Wire(asyncio.Protocol):
    """What has arrived, and whoever waits for more or for room to write."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.arrived = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self.is_full = False
        self.lost = asyncio.get_running_loop().create_future()
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.arrived += data
        if len(self.arrived) > _MOST_BUFFERED:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended, self.error = True, error
        if not self.lost.done():
            self.lost.set_result(None)
        self._wake()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self._wake()

    def taken(self, most: int) -> bytes:
        """Up to `most` of the bytes that have arrived."""
        data = bytes(self.arrived[:most])
        del self.arrived[:most]
        if not self.ended and len(self.arrived) <= _MOST_BUFFERED:
            self.transport.resume_reading()
        return data

    async def change(self, seconds: float | None, late: type[Exception]) -> None:
        """Come back when something has happened; raises `late` when nothing does in that time."""
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(seconds, _fail, waiter, late) if seconds is not None else None
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _fail(waiter: asyncio.Future[None], late: type[Exception]) -> None:
    if not waiter.done():
        waiter.set_exception(late())


class _Stream(httpcore.AsyncNetworkStream):
    """A connection's bytes, as httpcore wants them."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._outgoing: list[bytes] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        wire = self._wire
        await self._send(timeout)
        if not wire.arrived and not wire.ended:
            await wire.change(timeout, httpcore.ReadTimeout)
        if not wire.arrived and wire.error is not None:
            raise httpcore.ReadError(str(wire.error)) from wire.error
        return wire.taken(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - `read` sends it
        if self._wire.ended:
            raise httpcore.WriteError("The connection is closed")
        self._outgoing.append(buffer)

    async def _send(self, timeout: float | None) -> None:
        if not self._outgoing:
            return
        wire = self._wire
        wire.transport.write(b"".join(self._outgoing))
        self._outgoing.clear()
        while wire.is_full and not wire.ended:
            await wire.change(timeout, httpcore.WriteTimeout)

    async def aclose(self) -> None:
        self._wire.transport.abort()  # nothing is on its way: no reason to wait for the other side's goodbye
        await self._wire.lost

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        loop, wire = asyncio.get_running_loop(), self._wire
        name = server_hostname or ""
        securing = loop.start_tls(wire.transport, wire, ssl_context, server_hostname=name, ssl_handshake_timeout=None)
        try:
            secured = await _within(timeout, securing)
        except BaseException:
            wire.transport.abort()
            raise
        assert isinstance(secured, asyncio.Transport)
        wire.transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return bool(self._wire.arrived) or self._wire.ended
        return self._wire.transport.get_extra_info(info)


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - nobody here sets one
    ) -> httpcore.AsyncNetworkStream:
        source = (local_address, 0) if local_address else None
        connecting = asyncio.get_running_loop().create_connection(
            _Wire, host, port, local_addr=source, happy_eyeballs_delay=0.25
        )
        _, wire = await _within(timeout, connecting)
        return _Stream(wire)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _within(timeout: float | None, opening: Any) -> Any:
    """What `opening` gives; httpcore's errors where it takes too long or fails."""
    try:
        return await asyncio.wait_for(opening, timeout)
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:  # ssl.SSLError is one, too
        raise httpcore.ConnectError(str(error)) from error

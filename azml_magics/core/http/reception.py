"""What one connection receives for one request: whether anything came, and whether it was one response and no more.

httpx reports neither. Its documented request extension `trace` hands out the network stream when a connection is
opened; a Reception watches the reads of that stream, and bounds them in time. It also joins the two writes of a short
request, its head and its body: one system call and one packet.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import Request

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_MAX_JOINED = 64 * 1024  # bytes of a body that is copied to join it with the head


class Reception:
    """Watches what one connection receives.

    Call `begin` before each request, and pass `trace` (on an event loop `atrace`) as its `trace` extension.

    Attributes:
        is_reused: Whether the request went over a connection that was open before. False if nothing was traced: what
            is not known to be reused counts as new, so that no request is repeated.
        was_sent: Whether the connection was open and the request on its way.
        has_data: Whether any byte of a response was received.
        is_tunnel_open: Whether a proxy has opened its tunnel, so that what fails then is not its fault.
    """

    def __init__(self, *, has_tunnel: bool = False) -> None:
        """Watch a connection; `has_tunnel`: it goes through the tunnel of a proxy."""
        self._has_tunnel = has_tunnel
        self._stream: Any = None
        self._began = self._connect_by = 0.0
        self._deadline: float | None = None
        self._head = self._tail = self._held = b""
        self._count = self._head_length = 0
        self._has_short_body = self._holds_next = False
        self._reset()

    def _reset(self) -> None:
        self.is_reused = self.was_sent = self.has_data = False
        self._has_connected = self._is_in_tunnel = self.is_tunnel_open = self._holds_next = False
        self._held = b""
        self._reset_count()

    def begin(self, request: Request) -> None:
        """Start over for the next request."""
        self._reset()
        self._is_in_tunnel = self._stream is not None
        self._began = time.monotonic()
        self._connect_by = self._began + request.connect_timeout
        self._deadline = None if request.total_timeout is None else self._began + request.total_timeout
        self._has_short_body = 0 < len(request.body) <= _MAX_JOINED

    def is_watching(self, stream: Any) -> bool:
        """Whether the reads of `stream` are watched."""
        return self._stream is stream

    def go_on(self, request: Request) -> None:
        """Watch a request whose response has begun, over a connection that has rested."""
        self.was_sent = self.has_data = self.is_reused = True
        self._began = time.monotonic()
        self._deadline = None if request.total_timeout is None else self._began + request.total_timeout

    def rest(self) -> None:
        """Stop counting: the response is over."""
        self._deadline = None
        self._reset_count()

    @property
    def is_connecting(self) -> bool:
        """Whether a connection was being opened and nothing was sent over it yet."""
        return self._has_connected and not self.was_sent

    @property
    def is_late(self) -> bool:
        """Whether the time for the whole response is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def seconds(self) -> float:
        """Seconds since the request began to be sent."""
        return time.monotonic() - self._began

    def limit_reads(self, seconds: float) -> None:
        """Make every read of this response fail that ends later than `seconds` from now."""
        soon = time.monotonic() + seconds
        self._deadline = soon if self._deadline is None else min(soon, self._deadline)

    def shut_down(self) -> None:
        """End all reads and writes of the connection, in whatever thread they are. `close` alone would not wake them.

        A connection that other requests may use (HTTP/2) is left alone, as is one that is not watched.
        """
        stream = self._stream
        tls = stream.get_extra_info("ssl_object") if stream is not None else None
        if stream is None or (tls is not None and tls.selected_alpn_protocol() == "h2"):
            return
        connection = stream.get_extra_info("socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # it is closed already
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # SSLSocket's own would end TLS below a reader

    def ends_with_response(self, headers: Mapping[str, str]) -> bool:
        """Whether the connection received this one whole response and nothing after it.

        A second response for one request would be taken for the response to the next request. In doubt this is False:
        the connection is closed instead of kept.

        Args:
            headers: The response's headers by lower-case name.
        """
        if self._has_undecrypted_data():
            return False
        if "transfer-encoding" in headers:  # the first end of chunks must be the last thing received
            _, end_of_chunks, surplus = self._tail.partition(_LAST_CHUNK)
            self._tail = b""
            return bool(end_of_chunks) and not surplus
        length = headers.get("content-length", "0")
        return length.isdecimal() and self._count == self._head_length + int(length)

    def _has_undecrypted_data(self) -> bool:
        """Whether TLS on an event loop has read more than it has handed out; a socket would still show that."""
        tls = self._stream.get_extra_info("ssl_object") if self._stream is not None else None
        if not isinstance(tls, ssl.SSLObject):
            return False
        try:
            tls.read(1)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            pass  # the server has closed the connection
        return True

    # ---- watching ----

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note what happens to the request; httpx's `trace` extension."""
        if self._note_event(event):
            self._stream = stream = info["return_value"]
            read, write = stream.read, stream.write

            def watched_read(max_bytes: int, timeout: float | None = None) -> bytes:
                data: bytes = read(max_bytes, self._limit(timeout))
                self._note_data(data)
                return data

            def joined_write(data: bytes, timeout: float | None = None) -> None:
                if joined := self._join(data):
                    write(joined, self._limit(timeout))

            stream.read, stream.write = watched_read, joined_write

    async def atrace(self, event: str, info: Mapping[str, Any]) -> None:
        """What `trace` does, for connections of an event loop."""
        if self._note_event(event):
            self._stream = stream = info["return_value"]
            read, write = stream.read, stream.write

            async def watched_read(max_bytes: int, timeout: float | None = None) -> bytes:
                data: bytes = await read(max_bytes, self._limit(timeout))
                self._note_data(data)
                return data

            async def joined_write(data: bytes, timeout: float | None = None) -> None:
                if joined := self._join(data):
                    await write(joined, self._limit(timeout))

            stream.read, stream.write = watched_read, joined_write

    def _join(self, data: bytes) -> bytes:
        """What to write now: a head waits for its body, which always follows."""
        if self._holds_next:
            self._holds_next, self._held = False, data
            return b""
        held, self._held = self._held, b""
        return held + data if held else data

    def _note_event(self, event: str) -> bool:
        """Note how far the request is; True if `event` opened a network stream, straight or in a proxy's tunnel."""
        if event.startswith("http"):
            if event.endswith("send_request_headers.started") and (self._is_in_tunnel or not self._has_tunnel):
                self.was_sent = True  # what was sent before, outside of the tunnel, was for the proxy
                self.is_reused = not self._has_connected
                self._holds_next = self._has_short_body and event.startswith("http11")
            return False
        if event.endswith("connect_tcp.started"):
            self._stream, self._has_connected, self._is_in_tunnel = None, True, False
        if event.endswith("start_tls.started") and not event.startswith("connection"):
            self.is_tunnel_open = True
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return False
        self._is_in_tunnel = not event.startswith("connection")
        self.has_data = False
        self._reset_count()
        return True

    def _reset_count(self) -> None:
        self._head = self._tail = b""
        self._count = self._head_length = 0

    def _limit(self, timeout: float | None) -> float | None:
        """The seconds that a read may take."""
        deadline = self._deadline
        if not self.was_sent:
            deadline = self._connect_by if deadline is None else min(deadline, self._connect_by)
        if deadline is None:
            return timeout
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time for this is over")
        return left if timeout is None else min(left, timeout)

    def _note_data(self, data: bytes) -> None:
        self.has_data = self.has_data or bool(data)
        self._count += len(data)
        self._tail = self._tail[1 - len(_LAST_CHUNK) :] + data
        if not self._head_length:
            self._head += data
            end = _END_OF_HEAD.search(self._head)
            if end is not None:
                self._head_length, self._head = end.end(), b""

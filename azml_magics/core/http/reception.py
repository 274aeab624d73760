"""What one connection receives for one request: whether anything came, and whether it was one response and no more.

httpcore reports neither. Its `trace` extension, which httpx passes on, hands out the network stream when a connection
is opened; a Reception watches the reads of that stream.
"""

from __future__ import annotations

import re
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Reception:
    """Watches what one connection receives.

    Call `begin` before each request, and pass `trace` (on an event loop `atrace`) as the `trace` extension of the
    connection's first request.

    Attributes:
        was_sent: Whether the connection was open and the request on its way.
        has_data: Whether any byte of a response was received.
    """

    def __init__(self) -> None:
        self._stream: Any = None
        self._head = self._tail = b""
        self._count = self._head_length = 0
        self.begin()

    def begin(self) -> None:
        """Start over for the next request."""
        self.was_sent = self._stream is not None
        self.has_data = False
        self._started = time.monotonic()
        self._deadline: float | None = None
        self._reset_count()

    @property
    def seconds(self) -> float:
        """Seconds since the request began to be sent."""
        return time.monotonic() - self._started

    def limit_reads(self, seconds: float) -> None:
        """Make every read of this response fail that ends later than `seconds` from now."""
        self._deadline = time.monotonic() + seconds

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
        """Watch the network stream of a connection that opens; httpcore's `trace` extension."""
        if self._note_event(event):
            stream = info["return_value"]
            read = stream.read

            def watched_read(max_bytes: int, timeout: float | None = None) -> bytes:
                data: bytes = read(max_bytes, self._limit(timeout))
                self._note_data(data)
                return data

            stream.read = watched_read
            self._stream = stream

    async def atrace(self, event: str, info: Mapping[str, Any]) -> None:
        """What `trace` does, for connections of an event loop."""
        if self._note_event(event):
            stream = info["return_value"]
            read = stream.read

            async def watched_read(max_bytes: int, timeout: float | None = None) -> bytes:
                data: bytes = await read(max_bytes, self._limit(timeout))
                self._note_data(data)
                return data

            stream.read = watched_read
            self._stream = stream

    def _note_event(self, event: str) -> bool:
        """Note how far the request is; True if `event` opened a network stream, straight or in a proxy's tunnel."""
        if event.endswith("send_request_headers.started"):
            self.was_sent = True
        elif event.endswith("start_tls.started"):  # what was sent before was for a proxy
            self.was_sent = False
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self.has_data = False
            self._reset_count()
            return True
        return False

    def _reset_count(self) -> None:
        self._head = self._tail = b""
        self._count = self._head_length = 0

    def _limit(self, timeout: float | None) -> float | None:
        if self._deadline is None:
            return timeout
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The response is over, and its connection is not")
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

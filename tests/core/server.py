"""A scripted HTTP server on 127.0.0.1: it sends exactly the bytes of a test, and stores what it receives."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@dataclass
class Received:
    """One request as received; `connection` counts the connections from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Server:
    """Sends the next of `replies` for each request, the last one repeatedly.

    A reply is the bytes of a whole response, or a function (socket, Received) -> False to hang up, True to go on.
    """

    replies: list = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def respond_with(self, *replies) -> None:
        with self._lock:
            self.replies[:] = replies

    def close_connections(self) -> None:
        """Close the connections that clients keep alive, as a server does after its idle time."""
        with self._lock:
            kept = list(self._open)
        for connection in kept:
            _shut(connection)

    def stop(self) -> None:
        _shut(self._listener)
        self._listener.close()
        self.close_connections()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while (request := _read(reader, number)) is not None:
                    with self._lock:
                        self.received.append(request)
                        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                    if callable(reply):
                        if not reply(connection, request):
                            return
                    else:
                        connection.sendall(reply)
        except OSError:
            pass  # the client has left
        finally:
            with self._lock:
                self._open.discard(plain)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already
        connection.shutdown(socket.SHUT_RDWR)


def _read(reader, number: int) -> Received | None:
    line = reader.readline().decode()
    if not line:
        return None
    method, target, _ = line.split()
    headers = {}
    while (line := reader.readline().decode().rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = reader.read(length)
    if len(body) < length:
        return None  # the client left within the request
    return Received(method, target, headers, body, number)


def reply(body: bytes | str | object, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """The bytes of a response. A body other than text or bytes is sent as JSON; `x_request_id=…` becomes a header."""
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def event(value: object) -> bytes:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"data: " + data + b"\n\n"


def delta(text: str, **choice: object) -> dict:
    return {"id": "c1", "model": "tiny", "choices": [{"index": 0, "delta": {"content": text}, **choice}]}


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"x-request-id: r-77\r\nazureml-model-deployment: blue\r\n\r\n"
)


def streamed(*events: object, head: bytes = STREAM_HEAD) -> bytes:
    """The bytes of a chunked stream of events."""
    return head + b"".join(chunk(event(value)) for value in events) + b"0\r\n\r\n"


# ---- faults of a request that arrived


def fault(*parts: bytes, seconds: float = 0.0, reset: bool = False):
    """A reply that works for `seconds`, sends `parts` and hangs up, with a TCP reset if told."""

    def act(connection: socket.socket, request: Received) -> bool:
        time.sleep(seconds)
        for part in parts:
            connection.sendall(part)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return act


_WORK = 0.6  # seconds: longer than a connection that was closed while idle takes to break
CLOSED_AT_ONCE = "closes without a byte"  # the one fault after which a request may be repeated
FAULTS = {
    "works, then FIN": fault(seconds=_WORK),
    "works, then RST": fault(seconds=_WORK, reset=True),
    "half a status line": fault(b"HTTP/1.1 2"),
    "half the headers": fault(b"HTTP/1.1 200 OK\r\nContent-Type: appl"),
    "a header bomb": fault(b"HTTP/1.1 200 OK\r\n", b"X-Filler: 0123456789abcdef\r\n" * 20_000),
    "garbage": fault(b"\x00\xff no HTTP at all\r\n\r\n"),
    "two Content-Length": fault(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}\n"),
    "100 Continue, then FIN": fault(b"HTTP/1.1 100 Continue\r\n\r\n"),
    CLOSED_AT_ONCE: fault(),
    "Content-Length too long": fault(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{}"
    ),
    "a broken chunk": fault(STREAM_HEAD + b"zz\r\nnot a chunk"),
    "no body after the headers": fault(STREAM_HEAD),
}

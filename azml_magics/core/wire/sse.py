"""Server-sent events, as the endpoints really send them.

The standard (WHATWG HTML, "Server-sent events") plus what is out there: CRLF, lone CR, `:` comments, `event:` and
`id:` lines, `data:[DONE]` without the space (NVIDIA NIM), a last event without the blank line after it, no [DONE] at
all (TGI, prompt flow), a byte order mark, empty keep-alive events, chunk borders anywhere, also inside a character.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import NamedTuple


class Event(NamedTuple):
    """One event: its type ("message" unless an `event:` line says otherwise) and its data, lines joined by newlines."""

    type: str
    data: bytes


class SSEDecoder:
    """Bytes in, events out, as soon as each is whole."""

    def __init__(self) -> None:
        self._tail = b""
        self._start = True  # of the stream, where a byte order mark may stand
        self._data: list[bytes] = []
        self._type = "message"

    def feed(self, received: bytes) -> list[Event]:
        """The events that `received` completes."""
        buffer = self._tail + received
        if self._start:
            if len(buffer) < len(BOM_UTF8) and BOM_UTF8.startswith(buffer):
                self._tail = buffer
                return []
            buffer, self._start = buffer.removeprefix(BOM_UTF8), False
        cut = max(buffer.rfind(b"\n"), buffer.rfind(b"\r", 0, -1)) + 1  # a last CR may be half of a CRLF
        self._tail = buffer[cut:]
        return self._read(buffer[:cut].splitlines()) if cut else []

    def flush(self) -> list[Event]:
        """The events that the end of the stream completes: a last one may lack its blank line."""
        lines = self._tail.splitlines()
        self._tail = b""
        self._start = False
        return self._read([*lines, b""])

    def _read(self, lines: list[bytes]) -> list[Event]:
        events = []
        for line in lines:
            if not line:
                data = b"\n".join(self._data)
                if data or self._type == "error":  # a standard event has data; a wordless error is one all the same
                    events.append(Event(self._type, data))
                self._data, self._type = [], "message"
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                self._type = line[6:].strip().decode("utf-8", "replace") or "message"
        return events

"""Server-sent events, as endpoints send them.

Beyond the standard (WHATWG HTML, "Server-sent events") servers send: CRLF and CR, `:` comments, `event:` and `id:`
lines, `data:[DONE]` without the space (NVIDIA NIM), a last event without the blank line after it, no [DONE] (TGI,
prompt flow), a byte order mark, empty keep-alive events, and other fields with JSON behind them, such as `error: {…}`
(llama.cpp). Pieces may end anywhere, also inside a character.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import NamedTuple

# A line that begins a stream of events, with JSON behind it where the field is not of the standard.
_FIRST_LINE = re.compile(rb"(data|event|id|retry|):|[a-z_]+:[ \t]*[{\[]")
_UNKNOWN_FIELD = re.compile(rb"(?!data:|event:|id:|retry:)([a-z_]+):[ \t]*([{\[].*)", re.DOTALL)
_JSON_OR_HTML = (b"{", b"[", b'"', b"<")
_ENOUGH = 16  # bytes that tell whether a body is a stream of events


class Event(NamedTuple):
    """One event.

    Attributes:
        type: "message", or what its `event:` line says.
        data: Its `data:` lines, joined by newlines.
    """

    type: str
    data: bytes


def _type_of(field: str) -> str:
    return "error" if field == "error" else "message"


def is_event_stream(start: bytes | bytearray, content_type: str = "", *, is_all: bool = False) -> bool | None:
    """Return whether a body is a stream of events, by its first bytes; the content type decides where they do not.

    Args:
        start: The first bytes of the body.
        content_type: The response's header.
        is_all: Whether these are all bytes of the body.

    Returns:
        None if more bytes are needed.
    """
    text = bytes(start[: _ENOUGH * 4]).removeprefix(BOM_UTF8).lstrip()
    if text.startswith(_JSON_OR_HTML):
        return False
    if _FIRST_LINE.match(text):
        return True
    if len(text) < _ENOUGH and b"\n" not in text and not is_all:
        return None
    return "text/event-stream" in content_type.lower()


class SSEDecoder:
    """Decodes bytes into events and returns each as soon as it is complete."""

    def __init__(self) -> None:
        self._tail = bytearray()  # the line so far: a piece is appended to it, not joined with all before it
        self._is_start = True  # of the stream: a byte order mark may come
        self._data: list[bytes] = []
        self._type = "message"
        self._unknown: list[tuple[str, bytes]] = []  # fields that are not of the standard, with JSON behind them

    def feed(self, received: bytes) -> list[Event]:
        """Return the events that `received` completes."""
        if self._is_start:
            received, self._tail = bytes(self._tail) + received, bytearray()
            if len(received) < len(BOM_UTF8) and BOM_UTF8.startswith(received):
                self._tail.extend(received)
                return []
            received, self._is_start = received.removeprefix(BOM_UTF8), False
        has_open_return = self._tail.endswith(b"\r") and bool(received)
        cut = max(received.rfind(b"\n"), received.rfind(b"\r", 0, -1)) + 1  # a last CR may be half of a CRLF
        if not cut and not has_open_return:
            self._tail.extend(received)
            return []
        lines = bytes(self._tail + received[:cut]).splitlines()
        self._tail = bytearray(received[cut:])
        return self._parse_lines(lines)

    def flush(self) -> list[Event]:
        """Return the events that the end of the stream completes: a last one may lack its blank line."""
        lines = bytes(self._tail).splitlines()
        self._tail = bytearray()
        self._is_start = False
        return self._parse_lines([*lines, b""])

    def _parse_lines(self, lines: list[bytes]) -> list[Event]:
        events = []
        for line in lines:
            if not line:
                data = b"\n".join(self._data)
                if data or self._type == "error":  # only an error may come without data
                    events.append(Event(self._type, data))
                events += [Event(_type_of(name), value) for name, value in self._unknown if not data or name == "error"]
                self._data, self._type, self._unknown = [], "message", []
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                self._type = line[6:].strip().decode("utf-8", "replace") or "message"
            elif unknown := _UNKNOWN_FIELD.match(line):
                self._unknown.append((unknown[1].decode(), unknown[2]))
        return events

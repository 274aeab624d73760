"""The charset that a response declares: bodies and streams become UTF-8 before anything reads them."""

from __future__ import annotations

import codecs
import json
import re

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]+)", re.IGNORECASE)


def charset_of(content_type: str) -> str:
    """Return the charset in a Content-Type header by Python's name; "" for UTF-8, none, or an unknown one."""
    match = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(match[1]).name if match else ""
    except LookupError:
        return ""
    return "" if name in {"utf-8", "ascii"} else name


def to_utf8(body: bytes, content_type: str) -> bytes:
    """Return a whole body in UTF-8; as it is if its charset is unknown or does not fit."""
    charset = charset_of(content_type)
    if not charset and b"\0" in body[:4]:
        charset = json.detect_encoding(body)
    try:
        return body.decode(charset).encode() if charset else body
    except UnicodeDecodeError:
        return body


class Transcoder:
    """Turns the pieces of a stream into UTF-8.

    Args:
        content_type: The response's header.
    """

    def __init__(self, content_type: str) -> None:
        charset = charset_of(content_type)
        self._decoder = codecs.getincrementaldecoder(charset)("replace") if charset else None

    def feed(self, piece: bytes) -> bytes:
        """Return a piece in UTF-8."""
        return piece if self._decoder is None else self._decoder.decode(piece).encode()


def has_invalid_utf8(data: bytes) -> bool:
    """Return whether some of the bytes are not UTF-8, so that a text read from them has replacement characters."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False

"""The body of a response: decompressed, and bounded after that. No I/O."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .exchange import is_success

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .exchange import Request

STREAM_FACTOR = 4  # 128,000 tokens as chat events are 50 MB
MAX_REFUSAL_BYTES = 64 * 1024
_STEP = 64 * 1024  # bytes that are decompressed at a time
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # the wbits of zlib
_ENCODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class ResponseTooLarge(Exception):
    """The body of a response has more bytes than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit:,} bytes")
        self.limit = limit


class UnknownEncoding(Exception):
    """The body of a response is compressed in a way that was not asked for."""


class BodyReader:
    """Decompresses and counts the pieces of one body.

    Requests ask for no compression; servers that compress all the same use gzip or deflate. Other encodings cannot be
    bounded while they are decompressed, and are refused.

    Args:
        request: What the response is for.
        status: The response's status. A refusal is cut at MAX_REFUSAL_BYTES.
        headers: The response's headers by lower-case name.

    Raises:
        ResponseTooLarge: The body announces more bytes than allowed.
        UnknownEncoding: It cannot be decompressed.
    """

    def __init__(self, request: Request, status: int, headers: Mapping[str, str]) -> None:
        self._is_refusal = not is_success(status)
        is_stream = request.stream and not self._is_refusal
        self._limit = request.max_bytes * (STREAM_FACTOR if is_stream else 1)
        if self._is_refusal:
            self._limit = min(self._limit, MAX_REFUSAL_BYTES)
        self._count = 0
        self._wbits = _wbits(headers.get("content-encoding", ""))
        self._inflate = zlib.decompressobj(self._wbits) if self._wbits else None
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit and not self._is_refusal:
            raise ResponseTooLarge(self._limit)

    @property
    def is_full(self) -> bool:
        """Whether no more of a refusal is read."""
        return self._is_refusal and self._count >= self._limit

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body decompresses to.

        Raises:
            ResponseTooLarge: The body has more bytes than allowed.
            zlib.error: It is not compressed as its headers say.
        """
        if self._inflate is None:
            yield self._counted(raw)
            return
        while raw and not (self.is_full or self._inflate.eof):
            piece = self._decompress(raw)
            raw = self._inflate.unconsumed_tail
            if piece:
                yield self._counted(piece)

    def finish(self) -> None:
        """Check that the compressed data are complete.

        Raises:
            zlib.error: They are not.
        """
        if self._inflate is not None and self._count and not self._inflate.eof:
            raise zlib.error("the compressed data are not complete")

    def _decompress(self, raw: bytes) -> bytes:
        assert self._inflate is not None
        try:
            return self._inflate.decompress(raw, _STEP)
        except zlib.error:
            if self._count or self._wbits != _ZLIB:
                raise
            self._inflate = zlib.decompressobj(_RAW_DEFLATE)  # as some servers understand "deflate"
            return self._inflate.decompress(raw, _STEP)

    def _counted(self, piece: bytes) -> bytes:
        left = self._limit - self._count
        self._count += len(piece)
        if len(piece) <= left:
            return piece
        if not self._is_refusal:
            raise ResponseTooLarge(self._limit)
        return piece[:left]


def _wbits(encoding: str) -> int | None:
    """What zlib calls the format of an encoding; None for no compression."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name not in _ENCODINGS:
        raise UnknownEncoding(f"the response has the encoding {encoding!r}, which was not asked for")
    return _ENCODINGS[name]

"""A growing Markdown text in chunks, so that streaming sends only the last chunk again.

Sending the whole text with every frame would make the traffic grow with the square of its length. A chunk ends at a
blank line outside of a code fence or formula, before a line that does not continue the block above it.
"""

from __future__ import annotations

import re

_MIN_CHUNK = 1000  # characters: every chunk is a widget of its own
_FENCE = re.compile(r"^ {0,3}(`{3,}(?!.*`)|~{3,})")
_CONTINUES = re.compile(r"\s|[-+>|:]|\*\s|\d{1,9}[.)]\s")
_MARKER_LENGTH = 12  # characters after which an incomplete line can no longer become a list item
_SMALL = 4000  # characters of the last chunk that every frame may send again
GROWTH = 1 / 16  # share by which a longer chunk must have grown to be sent again


class ChunkedText:
    """The chunks of a text that only grows. Every line is read once, so the work is proportional to the text.

    Attributes:
        chunks: the text in parts; all but the last one are final.
    """

    def __init__(self) -> None:
        self.chunks: list[str] = [""]
        self._final = 0  # characters in the final chunks
        self._read = 0  # characters up to the start of the incomplete line
        self._fence, self._after_blank, self._in_formula = "", False, False  # at that place
        self._sent = 0  # characters of the last chunk in its last frame

    def grow(self, text: str) -> bool:
        """Take in the longer text.

        Returns:
            Whether the last chunk should be sent. A long one should be only after it has grown by a share of its
            length, so that the total traffic stays proportional to the text.
        """
        while self._read_line(text):
            pass
        self.chunks[-1] = tail = text[self._final :]
        grown = len(tail) - self._sent
        if not grown or (len(tail) > _SMALL and grown < len(tail) * GROWTH):
            return False
        self._sent = len(tail)
        return True

    def _read_line(self, text: str) -> bool:
        """Read the next line; end the chunk above it if it starts a new block. False if the line is incomplete."""
        end = text.find("\n", self._read) + 1
        # not splitlines(): Markdown knows fewer line ends
        line = text[self._read : end or self._read + _MARKER_LENGTH + 1]
        if self._starts_chunk(line) and (end or len(line) > _MARKER_LENGTH):
            self.chunks[-1:] = [text[self._final : self._read], ""]
            self._final, self._sent = self._read, 0
        if not end:
            return False
        fence = _FENCE.match(line)
        if fence and not self._fence:
            self._fence = fence[1]
        elif fence and fence[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
        elif not self._fence and line.count("$$") % 2:
            self._in_formula = not self._in_formula
        self._after_blank = not line.strip()
        self._read = end
        return True

    def _starts_chunk(self, line: str) -> bool:
        """Whether a chunk may end above this line, which may be incomplete."""
        if not self._after_blank or self._fence or self._in_formula or self._read - self._final < _MIN_CHUNK:
            return False
        return bool(line.strip()) and not _CONTINUES.match(line)

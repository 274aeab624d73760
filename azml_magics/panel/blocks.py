"""An answer that grows, in pieces: those that are settled never change again, and only the last one is sent anew.

A frame of a streaming answer that sent the whole text would make the traffic grow with its square. Pieces end where
Markdown lets a reader stop: at a blank line outside of a fence, before something that continues nothing above it.
"""

from __future__ import annotations

import re

_LONG_ENOUGH = 1000  # characters: a piece has a cost of its own
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_CONTINUES = re.compile(r"\s|[-+>|:]|\*\s|\d{1,9}[.)]\s")
_SMALL = 4000  # characters of the last piece that every frame may send again
GROWTH = 1 / 16


class Blocks:
    """The pieces of a text that only grows. `pieces[:-1]` are settled; the last one is what still may change."""

    def __init__(self) -> None:
        self.pieces: list[str] = [""]
        self._settled = 0  # characters in the settled pieces
        self._sent = 0  # characters of the last piece at its last frame

    def grow(self, text: str) -> bool:
        """Take in the longer text; True where the last piece is worth a frame.

        A long last piece is worth one only after it has grown by a share of itself: so the sum of all frames stays in
        proportion to the text, however it is written.
        """
        tail = text[self._settled :]
        at = _boundary(tail)
        while at:
            self.pieces[-1:] = [tail[:at], ""]
            self._settled += at
            self._sent = 0
            tail = tail[at:]
            at = _boundary(tail)
        self.pieces[-1] = tail
        grown = len(tail) - self._sent
        if not grown or (len(tail) > _SMALL and grown < len(tail) * GROWTH):
            return False
        self._sent = len(tail)
        return True


def _boundary(text: str) -> int:
    """Where the first piece of `text` that is long enough ends; 0 where none does yet."""
    if len(text) <= _LONG_ENOUGH:
        return 0
    fence, at, after_blank = "", 0, False
    for line in text.splitlines(keepends=True):
        if after_blank and not fence and at >= _LONG_ENOUGH and line.strip() and not _CONTINUES.match(line):
            return at if text.count("$$", 0, at) % 2 == 0 else 0
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        after_blank = not line.strip()
        at += len(line)
    return 0

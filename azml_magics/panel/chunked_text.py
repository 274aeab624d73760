"""An answer that grows, in pieces: those that are settled never change again, and only the last one is sent anew.

A frame of a streaming answer that sent the whole text would make the traffic grow with its square. Pieces end where
Markdown lets a reader stop: at a blank line outside of a fence, before something that continues nothing above it.
"""

from __future__ import annotations

import re

_LONG_ENOUGH = 1000  # characters: a piece has a cost of its own
_FENCE = re.compile(r"^ {0,3}(`{3,}(?!.*`)|~{3,})")
_CONTINUES = re.compile(r"\s|[-+>|:]|\*\s|\d{1,9}[.)]\s")
_MARK = 12  # characters, after which a line that is still coming can become no list item any more
_SMALL = 4000  # characters of the last piece that every frame may send again
GROWTH = 1 / 16


class Blocks:
    """The pieces of a text that only grows. `pieces[:-1]` are settled; the last one is what still may change.

    Every line is read once, when it is whole: so the work stays in proportion to the text as well.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = [""]
        self._settled = 0  # characters in the settled pieces
        self._read = 0  # characters up to the line that is still coming
        self._fence, self._after_blank, self._in_formula = "", False, False  # there
        self._sent = 0  # characters of the last piece at its last frame

    def grow(self, text: str) -> bool:
        """Take in the longer text; True where the last piece is worth a frame.

        A long last piece is worth one only after it has grown by a share of itself: so the sum of all frames stays in
        proportion to the text, however it is written.
        """
        while self._next_line(text):
            pass
        self.pieces[-1] = tail = text[self._settled :]
        grown = len(tail) - self._sent
        if not grown or (len(tail) > _SMALL and grown < len(tail) * GROWTH):
            return False
        self._sent = len(tail)
        return True

    def _next_line(self, text: str) -> bool:
        """Read the line that comes next, where it is whole; settle what is above it, where it is none of its."""
        end = text.find("\n", self._read) + 1
        line = text[self._read : end or self._read + _MARK + 1]  # no splitlines(): Markdown knows fewer ends of a line
        if self._begins_anew(line) and (end or len(line) > _MARK):
            self.pieces[-1:] = [text[self._settled : self._read], ""]
            self._settled, self._sent = self._read, 0
        if not end:
            return False
        mark = _FENCE.match(line)
        if mark and not self._fence:
            self._fence = mark[1]
        elif mark and mark[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
        elif not self._fence and line.count("$$") % 2:
            self._in_formula = not self._in_formula
        self._after_blank = not line.strip()
        self._read = end
        return True

    def _begins_anew(self, line: str) -> bool:
        """Whether a piece may end above this line, as far as it has come."""
        if not self._after_blank or self._fence or self._in_formula or self._read - self._settled < _LONG_ENOUGH:
            return False
        return bool(line.strip()) and not _CONTINUES.match(line)

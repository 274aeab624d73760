"""The rows of a run as they arrive: put into their order, and counted."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from .progress import Progress, Speed

if TYPE_CHECKING:
    from .records import Record, TableRow

    Done = tuple[Record, TableRow]


class Tally:
    """Rows come in from many threads in any order; one thread takes them out in the table's.

    given: how many have been taken out.
    """

    def __init__(self, total: int | None) -> None:
        self.arrived: deque[Done] = deque()  # its append needs no lock: the threads never wait for each other here
        self.given = 0
        self._total = total
        self._ready: dict[int, Done] = {}
        self._answered = self._failed = self._reused = self._reused_failed = self._tokens = 0
        self._began = time.monotonic()
        self._speed = Speed()

    def _sort(self) -> None:
        """Count what has arrived, and lay it out by position."""
        while self.arrived:
            record, row = self.arrived.popleft()
            self._ready[record.position] = record, row
            if row.reused:
                self._reused += 1
                self._reused_failed += row.error is not None
            elif row.error is not None:
                self._failed += 1
            else:
                self._answered += 1
                self._tokens += (row.response.usage.total_tokens or 0) if row.response and row.response.usage else 0

    def due(self, *, all_of_them: bool = False) -> list[Done]:
        """The rows that have none before them that is missing; or all, in their order."""
        self._sort()
        due = []
        while self.given in self._ready:
            due.append(self._ready.pop(self.given))
            self.given += 1
        if all_of_them:
            due += [self._ready.pop(position) for position in sorted(self._ready)]
        return due

    def progress(self, ended: float | None, begun: int) -> Progress:
        """The counts now, or at `ended`; `begun` rows were asked or are being asked."""
        self._sort()
        seconds = (ended or time.monotonic()) - self._began
        asked = self._answered + self._failed
        rate = (asked / seconds if seconds else 0.0) if ended else self._speed.of(seconds, asked)
        return Progress(
            self._total,
            done=asked + self._reused,
            failed=self._failed + self._reused_failed,
            reused=self._reused,
            tokens=self._tokens,
            in_flight=0 if ended else max(0, begun - asked),
            seconds=seconds,
            rate=rate,
            is_over=ended is not None,
        )

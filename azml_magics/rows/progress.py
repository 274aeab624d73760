"""The state of a run: its rows in order, its counts as data, and a progress bar."""

import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TextIO

from ..core.text import format_seconds, one_line
from .table_rows import Record, TableRow

Done = tuple[Record, TableRow]

_RECENT = 30.0  # seconds over which the rate is measured
_WIDTH = 20


@dataclass(frozen=True)
class Progress:
    """The counts of a run at one moment.

    Attributes:
        total: The number of rows, None if only reading tells.
        done: Rows with a response or an error.
        failed: Rows with an error.
        reused: Rows whose response or error comes from the journal.
        tokens: Tokens of the prompts and completions that were sent in this run, as the endpoint counts them.
        in_flight: Requests without a response yet.
        seconds: Since the run began.
        rate: Rows per second, lately; over the whole run once it is over.
        is_over: Whether the run has ended.
        waiting: What all requests wait for now, such as "429: waiting 12 s"; "" if they do not.
        read: How many rows were read from a file or an iterator; None for other tables and for a sample.
    """

    total: int | None = None
    done: int = 0
    failed: int = 0
    reused: int = 0
    tokens: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    is_over: bool = False
    waiting: str = ""
    read: int | None = None

    @property
    def sent(self) -> int:
        """The rows that were sent in this run and are done."""
        return self.done - self.reused

    @property
    def seconds_left(self) -> float | None:
        """The remaining time at this rate, None if unknown."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.done) / self.rate

    def __str__(self) -> str:
        counted = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        parts = [f"{counted} rows"] if self.read is None or not self.is_over else [self.rows_read]
        parts += [f"{self.reused:,} from the journal"] if self.reused else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.tokens:,} tokens"] if self.tokens else []
        if self.is_over:
            return ", ".join([*parts, format_seconds(self.seconds)])
        parts += [f"{self.rate:,.1f} rows/s"] if self.rate else []
        parts += [f"{format_seconds(self.seconds_left)} left"] if self.seconds_left is not None else []
        parts += [one_line(self.waiting)] if self.waiting else []
        return ", ".join(parts)

    @property
    def rows_read(self) -> str:
        """How many rows were read, and how many of them are done, if not all; "" if that was not counted."""
        if self.read is None:
            return ""
        row = "row" if self.read == 1 else "rows"
        return f"{self.read:,} {row} read" + (f", {self.done:,} done" if self.done != self.read else "")

    def bar(self, width: int = _WIDTH) -> str:
        """Return the share that is done as a bar of `width` characters, "" if the total is unknown."""
        if not self.total:
            return ""
        full = min(width, self.done * width // self.total)
        return "█" * full + "░" * (width - full)


class Speed:
    """Measures rows per second over the last half minute."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, now: float, sent: int) -> float:
        """Return the rows per second, given that `sent` rows are done at `now` seconds."""
        self._samples.append((now, sent))
        while now - self._samples[0][0] > _RECENT and len(self._samples) > 2:  # noqa: PLR2004 - two make a rate
            self._samples.popleft()
        then, before = self._samples[0]
        return (sent - before) / (now - then) if now > then else 0.0


class RunState:
    """The rows of a run: they arrive from many threads in any order and are taken in the table's order by one.

    Attributes:
        arrived: Rows that were not sorted yet. Its append needs no lock, so threads never wait for each other.
        taken: How many rows have been taken.
    """

    def __init__(self, total: int | None) -> None:
        """Begin to measure time.

        Args:
            total: The number of rows, None if unknown.
        """
        self.arrived: deque[Done] = deque()
        self.taken = 0
        self._total = total
        self._ready: dict[int, Done] = {}
        self._succeeded = self._failed = self._reused = self._reused_failed = self._tokens = 0
        self._began = time.monotonic()
        self._speed = Speed()

    def _sort(self) -> None:
        """Count the rows that arrived, and file them by position."""
        while self.arrived:
            record, row = self.arrived.popleft()
            self._ready[record.position] = record, row
            if row.reused:
                self._reused += 1
                self._reused_failed += row.error is not None
            elif row.error is not None:
                self._failed += 1
            else:
                self._succeeded += 1
                self._tokens += (row.response.usage.total_tokens or 0) if row.response and row.response.usage else 0

    def take(self, *, include_gaps: bool = False) -> list[Done]:
        """Return the next rows in order, up to the first that is not done.

        Args:
            include_gaps: Return the rows behind a missing one, too.
        """
        self._sort()
        rows = []
        while self.taken in self._ready:
            rows.append(self._ready.pop(self.taken))
            self.taken += 1
        if include_gaps:
            rows += [self._ready.pop(position) for position in sorted(self._ready)]
        return rows

    def progress(self, ended: float | None, begun: int, waiting: str = "", read: int | None = None) -> Progress:
        """Return the counts.

        Args:
            ended: When the run ended, None if it goes on.
            begun: How many rows have been sent.
            waiting: What all requests wait for now.
            read: How many rows have been read, None if that is not said.
        """
        self._sort()
        seconds = (ended or time.monotonic()) - self._began
        sent = self._succeeded + self._failed
        rate = (sent / seconds if seconds else 0.0) if ended else self._speed.update(seconds, sent)
        return Progress(
            self._total,
            done=sent + self._reused,
            failed=self._failed + self._reused_failed,
            reused=self._reused,
            tokens=self._tokens,
            in_flight=0 if ended else max(0, begun - sent),
            seconds=seconds,
            rate=rate,
            is_over=ended is not None,
            waiting="" if ended else waiting,
            read=read,
        )


class Bar:
    """A progress bar on standard error: it moves in a terminal; elsewhere it is one line at the end.

    Examples:
        with Bar() as bar:
            bar(progress)
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Prepare a bar.

        Args:
            stream: Where to write; standard error by default.
        """
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._last: Progress | None = None
        self._shown = 0

    def __call__(self, progress: Progress) -> None:
        """Draw the bar."""
        self._last = progress
        if self._moves:
            line = f"{progress.bar()} {progress}".strip()
            self._stream.write(f"\r{line:<{self._shown}}")
            self._stream.flush()
            self._shown = len(line)

    def clear(self) -> None:
        """Remove the bar from a terminal."""
        if self._moves and self._shown:
            self._stream.write(f"\r{'':<{self._shown}}\r")
            self._stream.flush()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._last is not None:
            line = f"{self._last!s:<{self._shown}}" if self._moves else str(self._last)
            self._stream.write(f"\r{line}\n" if self._moves else f"{line}\n")
            self._stream.flush()

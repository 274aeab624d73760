"""How far a run is, as data, and as one line of text."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_RECENT = 30.0  # seconds over which the speed is taken
_WIDTH = 20


@dataclass(frozen=True)
class Progress:
    """A run at one moment. total: None where only reading tells. reused: rows whose answer was in the journal.

    done counts every row with an answer or an error, failed those with an error. tokens: prompt and completion of the
    rows that were asked now, as the endpoint counts them. seconds: since the run began. rate: rows a second of late.
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

    @property
    def asked(self) -> int:
        """The rows that were asked now and came to an end."""
        return self.done - self.reused

    @property
    def seconds_left(self) -> float | None:
        """At this rate; None where nobody can tell."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.done) / self.rate

    def __str__(self) -> str:
        counted = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        parts = [f"{counted} rows"]
        parts += [f"{self.reused:,} from the journal"] if self.reused else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.tokens:,} tokens"] if self.tokens else []
        if self.is_over:
            return ", ".join([*parts, _span(self.seconds)])
        parts += [f"{self.rate:,.1f} rows/s"] if self.rate else []
        parts += [f"{_span(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts)

    def bar(self, width: int = _WIDTH) -> str:
        """The share that is done, as a bar of that many letters; "" where the total is unknown."""
        if not self.total:
            return ""
        full = min(width, self.done * width // self.total)
        return "█" * full + "░" * (width - full)


def _span(seconds: float) -> str:
    """ "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:  # noqa: PLR2004 - below it, tenths are worth showing
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Speed:
    """Rows a second over the last half minute, from counts taken now and then."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, int]] = deque()

    def of(self, now: float, asked: int) -> float:
        """The speed when at `now` seconds `asked` rows are done."""
        self._taken.append((now, asked))
        while now - self._taken[0][0] > _RECENT and len(self._taken) > 2:  # noqa: PLR2004 - one to compare with
            self._taken.popleft()
        then, before = self._taken[0]
        return (asked - before) / (now - then) if now > then else 0.0


class Bar:
    """A bar on standard error: it moves at a terminal; elsewhere it is one line at the end. `with Bar() as bar`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._last: Progress | None = None
        self._shown = 0

    def __call__(self, progress: Progress) -> None:
        """Draw it so."""
        self._last = progress
        if self._moves:
            line = f"{progress.bar()} {progress}".strip()
            self._stream.write(f"\r{line:<{self._shown}}")
            self._stream.flush()
            self._shown = len(line)

    def clear(self) -> None:
        """Take it away, and leave no line."""
        if self._moves and self._shown:
            self._stream.write(f"\r{'':<{self._shown}}\r")
            self._stream.flush()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._last is not None:
            line = f"{self._last!s:<{self._shown}}" if self._moves else str(self._last)
            self._stream.write(f"\r{line}\n" if self._moves else f"{line}\n")
            self._stream.flush()

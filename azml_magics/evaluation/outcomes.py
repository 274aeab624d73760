"""Outcomes: what came of every row with every setting. Figures are in memory, many texts are in a temporary file."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from .columns import OutcomeColumns
from .outcome import Outcome
from .overflow import OverflowFile

if TYPE_CHECKING:
    from ..rows.table_rows import Record
    from .outcome import Score
    from .settings import Setting

HELD = 10_000  # outcomes, and rows, that are held as objects
_NOWHERE = -1


class _Store:
    """Objects by number: the first ones in memory, the others in a temporary file."""

    def __init__(self, held: int) -> None:
        self._most = held
        self._held: dict[int, Any] = {}
        self._places = array("q")
        self._file: OverflowFile | None = None

    def put(self, number: int, value: Any) -> None:
        if number not in self._held and len(self._held) >= self._most:
            self._file = self._file or OverflowFile()
            place = self._file.add(value)
            if place is not None:
                if number >= len(self._places):
                    self._places.extend([_NOWHERE] * (number + 1 - len(self._places)))
                self._places[number] = place
                return
        self._held[number] = value

    def get(self, number: int) -> Any:
        """Return what is stored under a number, None if nothing is."""
        if number in self._held:
            return self._held[number]
        place = self._places[number] if number < len(self._places) else _NOWHERE
        return None if place == _NOWHERE or self._file is None else self._file.get(place)


class Outcomes(Sequence[Outcome]):
    """A sequence of outcomes, row by row, in a row by setting, then by repeat.

    An outcome is made when it is asked for, so a summary of many reads `columns` instead.

    Attributes:
        settings: The settings, without their repeats.
        repeats: How often each is repeated.
        columns: The figures of all outcomes.
        rows: How many rows have been added.
    """

    def __init__(self, settings: Sequence[Setting], repeats: int = 1, *, held: int = HELD) -> None:
        """Begin without rows.

        Args:
            settings: The settings, whose index is their place.
            repeats: How often each is repeated.
            held: How many outcomes to hold in memory; the others go to a temporary file.
        """
        self.settings = tuple(settings)
        self.repeats = repeats
        self.columns = OutcomeColumns(len(self.settings), repeats)
        self.rows = 0
        self._all_settings = [replace(setting, repeat=n + 1) for setting in settings for n in range(repeats)]
        self._rows, self._outcomes = _Store(held), _Store(held)
        self._lock = threading.RLock()

    @property
    def width(self) -> int:
        """How many outcomes each row has."""
        return len(self._all_settings)

    # ---- writing

    def add_row(self, record: Record, expected: Mapping[str, Any]) -> None:
        """Add a row, whose outcomes are not sent yet. Rows come in their order.

        Args:
            record: The row as it was read.
            expected: What it expects, by field.
        """
        with self._lock:
            self._rows.put(self.rows, (record.index, dict(record.values), record.problem, dict(expected)))
            begin = self.rows * self.width
            self.rows += 1
            self.columns.extend(self.rows * self.width)
            if expected:
                self.columns.has_expectation[begin : begin + self.width] = bytes([1]) * self.width

    def truncate(self, rows: int) -> None:
        """Remove the rows from `rows` on, of which nothing was sent."""
        with self._lock:
            self.rows = min(self.rows, rows)
            self.columns.truncate(self.rows * self.width)

    def position_of(self, row_index: int, setting: int, repeat: int = 1) -> int:
        """Return the place of an outcome.

        Args:
            row_index: The row's place in the table.
            setting: The index of the setting.
            repeat: The number of the repeat, from 1.
        """
        return row_index * self.width + setting * self.repeats + repeat - 1

    def put(self, position: int, outcome: Outcome) -> None:
        """Store what came of a row with a setting."""
        with self._lock:
            self.columns.set(position, outcome)
            self.columns.set_scores(position, outcome.scores)
            self._store(position, outcome)

    def add_scores(self, position: int, scores: Iterable[Score]) -> None:
        """Add scores to an outcome."""
        named = {score.name: score for score in scores}
        with self._lock:
            outcome = self[position]
            self.columns.set_scores(position, named)
            self._store(position, replace(outcome, scores={**outcome.scores, **named}))

    def _store(self, position: int, outcome: Outcome) -> None:
        self._outcomes.put(
            position, (outcome.response, outcome.error, outcome.prompt, dict(outcome.scores), outcome.reused)
        )

    # ---- reading

    def record_of(self, row_index: int) -> tuple[Any, dict[str, Any], str, dict[str, Any]]:
        """Return a row's label, its values, its problem and what it expects."""
        with self._lock:
            row: tuple[Any, dict[str, Any], str, dict[str, Any]] = self._rows.get(row_index)
            return row

    def of_row(self, row_index: int) -> list[Outcome]:
        """Return the outcomes of a row."""
        begin = row_index * self.width
        return [self[position] for position in range(begin, begin + self.width)]

    def __len__(self) -> int:
        return self.rows * self.width

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | Sequence[Outcome]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"there are {len(self)} outcomes, and none has the number {index}")
        row_index, number = divmod(position, self.width)
        with self._lock:
            label, values, _, expected = self._rows.get(row_index)
            stored = self._outcomes.get(position)
        setting = self._all_settings[number]
        row = Outcome(setting, setting.config, None, None, row_index, label, values, "", expected)
        if stored is None:
            return row
        response, error, prompt, scores, reused = stored
        return replace(row, response=response, error=error, prompt=prompt, scores=scores, reused=reused)

    def __iter__(self) -> Iterator[Outcome]:
        return (self[position] for position in range(len(self)))

"""The rows of an evaluation: read once, by whichever setting is first, and handed to all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..rows.sources import StreamTable
from ..rows.table_rows import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..rows.table import Table
    from .expectations import Expectations
    from .outcomes import Outcomes


class RowSource:
    """Reads a table's rows into outcomes, each when the first setting needs it."""

    def __init__(self, table: Table, outcomes: Outcomes, expectations: Expectations) -> None:
        """Prepare to read.

        Args:
            table: The rows.
            outcomes: Where they are kept.
            expectations: Tells what each row expects.
        """
        self._table = table
        self._records = table.records()
        self._outcomes = outcomes
        self._expectations = expectations
        self._lock = threading.Lock()
        self._is_exhausted = False

    def records(self, repeats: int) -> Iterator[Record]:
        """Yield every row as often as it is repeated; positions count the repeats, too."""
        row_index = 0
        while self._read_up_to(row_index):
            label, values, problem, _ = self._outcomes.record_of(row_index)
            for repeat in range(repeats):
                yield Record(row_index * repeats + repeat, label, values, problem)
            row_index += 1

    def read_all(self) -> None:
        """Read the rows that no setting has read, unless they come from an iterator or a file."""
        if not self._table.is_lazy:
            while self._read_up_to(self._outcomes.rows):
                pass

    def give_back(self) -> None:
        """Put the rows of which nothing was sent back into the iterator that they come from."""
        if not self._table.is_lazy:
            return
        errors = self._outcomes.columns.error
        last = next((place for place in reversed(range(len(errors))) if errors[place] != "not sent"), -1)
        begun = -(-(last + 1) // self._outcomes.width)
        if isinstance(self._table, StreamTable) and self._table.give_back is not None:
            unsent = [self._outcomes.record_of(row_index) for row_index in range(begun, self._outcomes.rows)]
            self._table.give_back([Record(0, label, values, problem) for label, values, problem, _ in unsent])
        self._outcomes.truncate(begun)

    def _read_up_to(self, row_index: int) -> bool:
        """Read rows until there is one with this index; return whether there is."""
        with self._lock:
            while row_index >= self._outcomes.rows:
                record = None if self._is_exhausted else next(self._records, None)
                if record is None:
                    self._is_exhausted = True
                    return False
                self._outcomes.add_row(record, self._expectations.of(record.values))
        return True

"""Tables of rows: a list, an iterator, a file, a frame; read row by row.

Every table gives the responses back as its own type: a list of dicts for a list, a frame for a frame. An iterator or a
file is read while requests are sent, and its responses are an iterator.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.paths import path_of
from .files import RowFile
from .lookahead import lookahead
from .row_values import is_frame, is_plain, values_of
from .table_rows import RESPONSE_COLUMNS, Record, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from .table import Table
    from .table_rows import Column, TableRow

_LOOKED_AT = 100  # rows of a stream that are looked at for the first one that can be read
_FAILED_DICTS = "[row for row in {name} if row[{error}]]"


def table_of(rows: Any, default_column: str = "text") -> Table:
    """Return `rows` as a Table.

    Args:
        rows: A DataFrame, a Series, a list, an iterator, or the path of a file.
        default_column: The column of rows that are plain values.

    Raises:
        UsageError: `rows` is not a table, or a file that cannot be read.
    """
    if isinstance(rows, (str, Path)):
        return StreamTable.of_file(RowFile(path_of(rows), default_column))
    if _may_be_frame(rows):
        from .frames import frame_table

        table = frame_table(rows, default_column)
        if table is not None:
            return table
    if not _has_rows(rows):
        raise UsageError(
            f"An object of type {type(rows).__name__} is not a table",
            remedy="Rows come in a DataFrame (pandas, polars, dask, or what can become one), a list of dicts or texts, "
            "an iterator of them, or the path of a .csv, .jsonl or .parquet file.",
        )
    if isinstance(rows, Sequence):
        return ListTable(rows, default_column)
    is_iterator = isinstance(rows, Iterator)  # then itself: SQLAlchemy's results give another one each time
    return StreamTable.of_iterator(rows if is_iterator else iter(rows), default_column)


def _has_rows(rows: Any) -> bool:
    """Return whether iterating over `rows` gives rows, and not names of columns or the values of one row."""
    if isinstance(rows, Iterator):  # also a result of SQLAlchemy, which has `columns` and `keys`
        return True
    is_other = isinstance(rows, (Mapping, bytes)) or hasattr(rows, "columns") or values_of(rows) is not None
    return isinstance(rows, Iterable) and not is_other


def _may_be_frame(rows: Any) -> bool:
    """Whether it is worth importing frames.py: an object of another library, or one derived from it."""
    return not isinstance(rows, (list, tuple, dict, Iterator))


def is_dask(rows: Any) -> bool:
    """Return whether `rows` is a dask DataFrame, whose partitions stay on the workers (dask.py)."""
    return type(rows).__module__.partition(".")[0] in {"dask", "dask_expr"} and hasattr(rows, "to_delayed")


def collect_rows(rows: Any, limit: int | None = None) -> tuple[Any, tuple[str, ...]]:
    """Return the rows of a dask DataFrame in this process, and other rows as they are; and what to say of it.

    Args:
        rows: What `map_rows` takes.
        limit: How many rows are needed, None for all.

    Returns:
        The rows, and a sentence if they are collected from elsewhere.
    """
    if is_dask(rows):
        local = rows.compute() if limit is None else rows.head(limit, npartitions=-1)
        return local, ("The dask DataFrame is collected first.",)
    if type(rows).__module__.startswith("pyspark.sql"):
        return rows, ("The Spark DataFrame is collected first.",)  # by its table, once a row is read
    return rows, ()


class ListTable:
    """A list of dicts or of plain values."""

    is_lazy = False
    hint = ""
    failed_rows = _FAILED_DICTS

    def __init__(self, rows: Sequence[Any], default_column: str) -> None:
        self._rows = rows
        self._default_column = default_column
        self.length: int | None = len(rows)
        names: dict[str, None] = {}
        problem = ""
        for record in self.records():
            names.update(dict.fromkeys(record.values))
            problem = problem or record.problem
        if problem and not names:
            raise _make_unreadable_error(problem)
        self.columns: tuple[str, ...] = tuple(names)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        return _iter_records(self._rows, self._default_column)

    def peek(self, count: int) -> list[Record]:
        """Return the first rows, at most `count`."""
        return list(itertools.islice(self.records(), count))

    def take(self, positions: Sequence[int]) -> ListTable:
        """Return a table of the rows at `positions`."""
        return ListTable([self._rows[position] for position in positions], self._default_column)

    def with_responses(
        self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS
    ) -> list[dict[str, Any]]:
        """Return a dict for each row: its own columns and those of the response."""
        names = unique_names(self.columns, columns)
        return [
            {**record.values, **dict(zip(names, row.cells(), strict=True))}
            for record, row in zip(self.records(), rows, strict=True)
        ]


class StreamTable:
    """An iterator or a file, read once, each row when it is needed.

    Attributes:
        columns, hint: As for every table; `columns` is empty if there are no rows.
    """

    is_lazy = True
    failed_rows = _FAILED_DICTS
    length: int | None = None

    def __init__(
        self,
        records: Callable[[], Iterator[Record]],
        peek: Callable[[int], list[Record]],
        columns: tuple[str, ...] = (),
        hint: str = "",
        give_back: Callable[[list[Record]], None] | None = None,
    ) -> None:
        """Look at the first rows for the names of the columns.

        Args:
            records: Reads the rows, first to last.
            peek: Returns the first rows without taking them.
            columns: The names that the source declares.
            hint: What may be wrong with them.
            give_back: Puts rows that were read back into the source; None if they need not or cannot be put back.

        Raises:
            UsageError: None of the first rows can be read.
        """
        self._records, self.peek, self.hint, self.give_back = records, peek, hint, give_back
        self.columns = columns or self._columns_of_first_row()

    @classmethod
    def of_iterator(cls, rows: Iterator[Any], default_column: str) -> StreamTable:
        """Return the table of an iterator; what is looked at stays in it."""
        return cls(
            lambda: _iter_records(lookahead.take(rows), default_column),
            lambda count: list(_iter_records(lookahead.peek(rows, count), default_column)),
            give_back=lambda records: lookahead.give_back(rows, [replace(record, index=None) for record in records]),
        )

    @classmethod
    def of_file(cls, file: RowFile) -> StreamTable:
        """Return the table of a file."""
        columns = file.read_columns()
        return cls(file.records, lambda count: list(itertools.islice(file.records(), count)), columns, file.hint)

    def _columns_of_first_row(self) -> tuple[str, ...]:
        records = self.peek(1)
        if records and records[0].problem:
            records = self.peek(_LOOKED_AT)
        if records and all(record.problem for record in records):
            raise _make_unreadable_error(records[0].problem)
        return tuple(next((record.values for record in records if not record.problem), ()))

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last; of an iterator it has what is left of it."""
        return self._records()

    def take(self, positions: Sequence[int]) -> StreamTable:
        """Return a table of the rows at `positions`, which ascend."""
        wanted, last = set(positions), max(positions)

        def records() -> Iterator[Record]:
            taken = (record for record in itertools.islice(self.records(), last + 1) if record.position in wanted)
            for position, record in enumerate(taken):
                yield Record(position, record.index, record.values, record.problem)

        is_beginning = len(wanted) == last + 1
        return StreamTable(
            records, self.peek, self.columns, self.hint, give_back=self.give_back if is_beginning else None
        )

    def select(self, records: Callable[[], Iterator[Record]]) -> StreamTable:
        """Return a table of some of the rows, which `records` reads."""
        return StreamTable(records, self.peek, self.columns, self.hint)

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Raise NotImplementedError: the rows are no longer held, and responses are handed out one by one."""
        raise NotImplementedError


def _make_unreadable_error(problem: str) -> UsageError:
    return UsageError(f"No row can be read: {problem}", remedy="Rows are dicts, objects with fields, or texts.")


def _describe_unreadable(row: Any) -> str:
    if is_frame(row):
        return f"it is a {type(row).__name__}, a table itself: pass one table, such as pandas.concat(frames)"
    return f"it is of type {type(row).__name__}, and rows are dicts or texts"


def _iter_records(rows: Iterable[Any], default_column: str) -> Iterator[Record]:
    """Yield the rows as Records; one of another type than the first has a problem that says so."""
    first: bool | None = None  # whether the first row has names
    for position, row in enumerate(rows):
        if isinstance(row, Record):  # read before, by the process that made the parts for dask or by an earlier run
            yield Record(position, position if row.index is None else row.index, row.values, row.problem)
            continue
        values = values_of(row)
        if values is None and not is_plain(row):
            yield Record(position, position, {}, _describe_unreadable(row))
            continue
        has_names = values is not None
        first = has_names if first is None else first
        problem = (
            "" if has_names is first else f"it is of type {type(row).__name__}, and the first row is of another type"
        )
        yield Record(position, position, {default_column: row} if values is None else values, problem)

"""Frames that are computed or fetched when they are read: Spark, polars' LazyFrame, pyarrow's dataset, DuckDB, Ibis.

A dry run and a limit collect only the rows that they need. How many rows there are is known before they are collected,
unless only collecting tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .table_rows import RESPONSE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .table import Table
    from .table_rows import Column, Record, TableRow

_FIRST = 3  # rows that are collected for the names of the columns; a dry run shows as many


class Deferred(NamedTuple):
    """What a frame can do before it is collected.

    Attributes:
        head: Returns a frame of its first rows.
        count_rows: Returns the number of its rows, None if it cannot tell without collecting them.
    """

    head: Callable[[int], Any]
    count_rows: Callable[[], Any] | None = None


def deferred_of(rows: Any) -> Deferred | None:
    """Return what a frame can do before it is collected, None if it is not one that is computed when it is read."""
    if _can(rows, "collect", "collect_schema", "head"):  # polars' LazyFrame
        return Deferred(rows.head)
    if _can(rows, "to_table", "head", "count_rows"):  # pyarrow's dataset and scanner
        return Deferred(rows.head, rows.count_rows)
    if _can(rows, "limit", "count") and (_can(rows, "toPandas") or _can(rows, "to_pandas")):  # Spark, Snowpark, Ibis
        return Deferred(rows.limit, rows.count)
    if _can(rows, "to_pandas", "head", "__len__") and hasattr(rows, "iloc"):  # pandas on Spark, cuDF
        return Deferred(rows.head, rows.__len__)
    if _can(rows, "__arrow_c_stream__", "limit", "__len__"):  # a DuckDB relation
        return Deferred(rows.limit, rows.__len__)
    return None


def _can(rows: Any, *names: str) -> bool:
    return all(callable(getattr(rows, name, None)) for name in names)


class DeferredTable:
    """A frame whose rows are collected when the first of them is needed. The responses come back in a local frame.

    Attributes:
        columns: The names of its columns and of its index.
        name: What it is called in a message, such as "pyspark DataFrame".
        can_count: Whether its length is known before its rows are collected.
    """

    is_lazy = False
    hint = ""

    def __init__(self, rows: Any, deferred: Deferred, collect: Callable[[Any], Table]) -> None:
        """Collect the first rows, for the names of the columns.

        Args:
            rows: The frame.
            deferred: What it can do before it is collected.
            collect: Returns the local table of the frame, or of the head of it.
        """
        self._rows, self._deferred, self._collect = rows, deferred, collect
        self._first = collect(deferred.head(_FIRST))
        self._local: Table | None = None
        self._count: int | None = None
        self.columns: tuple[str, ...] = self._first.columns
        self.name = f"{type(rows).__module__.partition('.')[0].lstrip('_')} {type(rows).__name__}"
        self.can_count = deferred.count_rows is not None
        if self._first.length is not None and self._first.length < _FIRST:
            self._local = self._first

    @property
    def is_collected(self) -> bool:
        """Whether its rows are in this process."""
        return self._local is not None

    @property
    def length(self) -> int | None:
        """The number of rows. Collects them if nothing else tells."""
        if self._local is None and self._count is None and self._deferred.count_rows is not None:
            count = self._deferred.count_rows()
            self._count = count if isinstance(count, int) else None  # Ibis gives an expression
        is_counted = self._local is None and self._count is not None
        return self._count if is_counted else self._collected().length

    @property
    def failed_rows(self) -> str:
        """Python that selects the failed rows from the local frame."""
        return self._first.failed_rows

    def _collected(self) -> Table:
        if self._local is None:
            self._local = self._collect(self._rows)
        return self._local

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last; they are collected first."""
        return self._collected().records()

    def peek(self, count: int) -> list[Record]:
        """Return the first rows, at most `count`."""
        if self._local is not None or count <= _FIRST:
            return (self._local or self._first).peek(count)
        return self.first(count).peek(count)

    def first(self, count: int) -> Table:
        """Return a local table of the first `count` rows; the others are not collected."""
        return self._collect(self._deferred.head(count)) if self._local is None else self._local.take(range(count))

    def take(self, positions: Sequence[int]) -> Table:
        """Return a local table of the rows at `positions`."""
        return self._collected().take(positions)

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Return the local frame with the columns of the responses."""
        return self._collected().with_responses(rows, columns)

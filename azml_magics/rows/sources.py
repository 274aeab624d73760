"""The tables that people have: a list, an iterator, a CSV or JSON-lines file, a frame; read row by row.

A table knows how to give the answers back as the type that it is: a list of dicts for a list, a frame for a frame. An
iterator or a file is read as the rows are asked, and its answers come as an iterator.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..core.errors import UsageError
from ..core.paths import path_of
from .records import ANSWER_COLUMNS, Record, answer_names

if TYPE_CHECKING:
    from .records import Column, TableRow

_SCALARS = (str, int, float, bool)
_FRAMES = {"pandas": "PandasTable", "polars": "PolarsTable"}


class Table(Protocol):
    """Rows of one type.

    columns: their names; of rows that are read one by one, the first row's. length: how many, None where only reading
    tells.
    is_lazy: it can be read once, row by row, and is never held as a whole.
    """

    columns: tuple[str, ...]
    length: int | None
    is_lazy: bool

    def records(self) -> Iterator[Record]:
        """The rows, first to last."""

    def taken(self, positions: Sequence[int]) -> Table:
        """Those rows alone, in that order."""

    def given_back(self, rows: Iterable[TableRow], columns: Sequence[Column] = ANSWER_COLUMNS) -> Any:
        """The table with the answers' columns, as the type that came in; `rows` has one for each of its rows."""


def table_of(rows: Any, alone: str = "text") -> Table:
    """What `rows` is, as a Table; UsageError where it is none. `alone` is the column of rows that are plain texts."""
    library = type(rows).__module__.partition(".")[0]
    if library in _FRAMES:
        from . import frames

        made: Table = getattr(frames, _FRAMES[library]).of(rows, alone)
        return made
    if isinstance(rows, (str, Path)):
        from .files import records_of

        return StreamTable(records_of(path_of(rows), alone))
    if isinstance(rows, (Mapping, bytes)):
        raise _no_table(rows)
    if isinstance(rows, Sequence):
        return ListTable(rows, alone)
    if isinstance(rows, Iterable):
        return StreamTable(_records(rows, alone))
    raise _no_table(rows)


def is_dask(rows: Any) -> bool:
    """Whether `rows` is a dask DataFrame: it is asked where its partitions are (cluster.py)."""
    return type(rows).__module__.partition(".")[0] in {"dask", "dask_expr"} and hasattr(rows, "to_delayed")


def _no_table(rows: Any) -> UsageError:
    return UsageError(
        f"A {type(rows).__name__} is no table",
        remedy="Rows come in a DataFrame (pandas, polars, dask), a list of dicts or texts, an iterator of them, "
        "or the path of a .csv or .jsonl file.",
    )


def _records(rows: Iterable[Any], alone: str) -> Iterator[Record]:
    """The rows as Records; one of another type than the first has a problem that says so."""
    first: type | None = None
    for position, row in enumerate(rows):
        if isinstance(row, Record):  # read already, on another machine
            yield Record(position, row.index, row.values, row.problem)
            continue
        kind = Mapping if isinstance(row, Mapping) else str if isinstance(row, _SCALARS) or row is None else None
        if kind is None:
            problem = f"it is a {type(row).__name__}, and rows are dicts or texts"
            yield Record(position, position, {}, problem)
            continue
        first = first or kind
        values = {str(name): value for name, value in row.items()} if kind is Mapping else {alone: row}
        problem = "" if kind is first else f"it is a {type(row).__name__}, and the first row is of another type"
        yield Record(position, position, values, problem)


class ListTable:
    """A list of dicts or of plain values."""

    is_lazy = False

    def __init__(self, rows: Sequence[Any], alone: str) -> None:
        self._rows = rows
        self._alone = alone
        self.length: int | None = len(rows)
        names = dict.fromkeys(name for record in _records(rows, alone) for name in record.values)
        self.columns: tuple[str, ...] = tuple(names)

    def records(self) -> Iterator[Record]:
        """The rows, first to last."""
        return _records(self._rows, self._alone)

    def taken(self, positions: Sequence[int]) -> ListTable:
        """Those rows alone."""
        return ListTable([self._rows[position] for position in positions], self._alone)

    def given_back(self, rows: Iterable[TableRow], columns: Sequence[Column] = ANSWER_COLUMNS) -> list[dict[str, Any]]:
        """A dict for each row: its own columns and the answer's."""
        names = answer_names(self.columns, columns)
        return [
            {**record.values, **dict(zip(names, row.answer(), strict=True))}
            for record, row in zip(self.records(), rows, strict=True)
        ]


class StreamTable:
    """An iterator or a file: read once, one row as one is wanted."""

    is_lazy = True
    length: int | None = None

    def __init__(self, records: Iterator[Record]) -> None:
        """Read the first row; the others stay where they are."""
        self._first = next(records, None)
        self._records = records
        self.columns: tuple[str, ...] = tuple(self._first.values) if self._first else ()

    def records(self) -> Iterator[Record]:
        """The rows, first to last; a second time there are none."""
        if self._first is not None:
            yield self._first
            self._first = None
        yield from self._records

    def taken(self, positions: Sequence[int]) -> StreamTable:
        """Those rows alone; `positions` ascend."""
        wanted = set(positions)
        return StreamTable(
            Record(position, record.index, record.values, record.problem)
            for position, record in enumerate(r for r in self._until(max(positions)) if r.position in wanted)
        )

    def _until(self, last: int) -> Iterator[Record]:
        for record in self.records():
            yield record
            if record.position >= last:
                return

    def given_back(self, rows: Iterable[TableRow], columns: Sequence[Column] = ANSWER_COLUMNS) -> Any:
        """Nothing: the rows have gone by. A stream's answers are handed out as they come."""
        raise NotImplementedError


def chosen(table: Table, limit: int | None, sample: int | None) -> Table:
    """The first `limit` rows of the table, or `sample` of them: the same ones of the same table every time."""
    for name, number in (("limit", limit), ("sample", sample)):
        if number is not None and number < 1:
            raise UsageError(f"{name} takes a number of at least 1, not {number}")
    if limit is not None and sample is not None:
        raise UsageError("limit and sample exclude each other", remedy="Leave one of them out.")
    if sample is not None and table.length is None:
        return StreamTable(_reservoir(table.records(), sample))
    if sample is not None and table.length is not None and sample < table.length:
        return table.taken(drawn(table.length, sample))
    if limit is not None and (table.length is None or limit < table.length):
        return table.taken(range(limit))
    return table


def drawn(length: int, number: int) -> list[int]:
    """The positions of `number` rows of a table of `length` rows, ascending; the same ones every time."""
    return sorted(random.Random(length).sample(range(length), number))  # noqa: S311 - no secret


def _reservoir(records: Iterator[Record], number: int) -> Iterator[Record]:
    """`number` of the records, each as likely as any other, in their order; all are read."""
    drawn: list[Record] = []
    dice = random.Random(number)  # noqa: S311 - no secret
    for seen, record in enumerate(records):
        if seen < number:
            drawn.append(record)
        elif (place := dice.randrange(seen + 1)) < number:
            drawn[place] = record
    for position, record in enumerate(sorted(drawn, key=lambda record: record.position)):
        yield Record(position, record.index, record.values, record.problem)

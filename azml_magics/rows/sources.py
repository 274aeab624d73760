"""Tables of rows: a list, an iterator, a CSV or JSON-lines file, a frame; read row by row.

Every table gives the responses back as its own type: a list of dicts for a list, a frame for a frame. An iterator or a
file is read while requests are sent, and its responses are an iterator.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..core.errors import UsageError
from ..core.paths import path_of
from ..core.text import one_line
from .table_rows import RESPONSE_COLUMNS, Record, unique_names

if TYPE_CHECKING:
    from .table_rows import Column, TableRow

_SCALARS = (str, int, float, bool)
_FRAMES = {"pandas": "PandasTable", "polars": "PolarsTable"}
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_EXTRA_CELLS: Any = object()  # the key under which csv.DictReader puts cells beyond the header


class Table(Protocol):
    """Rows of one type.

    Attributes:
        columns: Their names; for rows that are read one by one, those of the first row.
        length: The number of rows, None if only reading tells.
        is_lazy: Whether the rows can be read once only and are never held as a whole.
    """

    columns: tuple[str, ...]
    length: int | None
    is_lazy: bool

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""

    def take(self, positions: Sequence[int]) -> Table:
        """Return a table of the rows at `positions`, which ascend."""

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Return the table with the columns of the responses, as the type that came in.

        Args:
            rows: One for each row of the table.
            columns: The columns to add; one that the table has already gets a prefix.
        """


def table_of(rows: Any, default_column: str = "text") -> Table:
    """Return `rows` as a Table.

    Args:
        rows: A DataFrame, a Series, a list, an iterator, or the path of a file.
        default_column: The column of rows that are plain texts.

    Raises:
        UsageError: `rows` is not a table, or a file that cannot be read.
    """
    library = type(rows).__module__.partition(".")[0]
    if library in _FRAMES:
        from . import frames

        table: Table = getattr(frames, _FRAMES[library]).from_object(rows, default_column)
        return table
    if isinstance(rows, (str, Path)):
        return StreamTable(_iter_file(path_of(rows), default_column))
    if isinstance(rows, (Mapping, bytes)) or not isinstance(rows, Iterable):
        raise UsageError(
            f"An object of type {type(rows).__name__} is not a table",
            remedy="Rows come in a DataFrame (pandas, polars, dask), a list of dicts or texts, an iterator of them, "
            "or the path of a .csv or .jsonl file.",
        )
    return (
        ListTable(rows, default_column)
        if isinstance(rows, Sequence)
        else StreamTable(_iter_records(rows, default_column))
    )


def is_dask(rows: Any) -> bool:
    """Return whether `rows` is a dask DataFrame, whose partitions stay on the workers (dask.py)."""
    return type(rows).__module__.partition(".")[0] in {"dask", "dask_expr"} and hasattr(rows, "to_delayed")


class ListTable:
    """A list of dicts or of plain values."""

    is_lazy = False

    def __init__(self, rows: Sequence[Any], default_column: str) -> None:
        self._rows = rows
        self._default_column = default_column
        self.length: int | None = len(rows)
        names = dict.fromkeys(name for record in self.records() for name in record.values)
        self.columns: tuple[str, ...] = tuple(names)

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""
        return _iter_records(self._rows, self._default_column)

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
    """An iterator or a file, read once, each row when it is needed."""

    is_lazy = True
    length: int | None = None

    def __init__(self, records: Iterator[Record]) -> None:
        """Read the first row, for the names of the columns."""
        self._first = next(records, None)
        self._records = records
        self.columns: tuple[str, ...] = tuple(self._first.values) if self._first else ()

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last; the second time it is empty."""
        if self._first is not None:
            yield self._first
            self._first = None
        yield from self._records

    def take(self, positions: Sequence[int]) -> StreamTable:
        """Return a table of the rows at `positions`, which ascend."""
        wanted = set(positions)
        return StreamTable(
            Record(position, record.index, record.values, record.problem)
            for position, record in enumerate(r for r in self._iter_until(max(positions)) if r.position in wanted)
        )

    def _iter_until(self, last: int) -> Iterator[Record]:
        for record in self.records():
            yield record
            if record.position >= last:
                return

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Raise NotImplementedError: the rows are no longer held, and responses are handed out one by one."""
        raise NotImplementedError


def _iter_records(rows: Iterable[Any], default_column: str) -> Iterator[Record]:
    """Yield the rows as Records; one of another type than the first has a problem that says so."""
    first: type | None = None
    for position, row in enumerate(rows):
        if isinstance(row, Record):  # read by the process that made the parts for dask
            yield Record(position, row.index, row.values, row.problem)
            continue
        kind = Mapping if isinstance(row, Mapping) else str if isinstance(row, _SCALARS) or row is None else None
        if kind is None:
            problem = f"it is of type {type(row).__name__}, and rows are dicts or texts"
            yield Record(position, position, {}, problem)
            continue
        first = first or kind
        values = {str(name): value for name, value in row.items()} if kind is Mapping else {default_column: row}
        problem = "" if kind is first else f"it is of type {type(row).__name__}, and the first row is of another type"
        yield Record(position, position, values, problem)


# ---- files


def _iter_file(path: Path, default_column: str) -> Iterator[Record]:
    """Return an iterator over the rows of a .csv, .tsv, .jsonl or .ndjson file. Raises UsageError if it is none."""
    kind = path.suffix.lower()
    if kind not in (*_DELIMITERS, *_JSON_LINES):
        raise UsageError(
            f"{path.name!r} is not a table that can be read row by row",
            remedy="Give a .csv, .tsv or .jsonl file; read others with pandas or polars and pass the frame.",
        )
    if not path.is_file():
        raise UsageError(f"There is no file {str(path)!r}", remedy="Check the path.")
    records = _iter_csv(path, _DELIMITERS[kind]) if kind in _DELIMITERS else _iter_json_lines(path, default_column)
    return _with_usage_errors(path, records)


def _with_usage_errors(path: Path, records: Iterator[Record]) -> Iterator[Record]:
    count = 0
    try:
        for record in records:
            yield record
            count += 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path.name!r} cannot be read after its row {count}: {one_line(str(error), 120)}",
            remedy="Files are read as UTF-8.",
        ) from error


def _iter_csv(path: Path, delimiter: str) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader: csv.DictReader[Any] = csv.DictReader(file, delimiter=delimiter, restkey=_EXTRA_CELLS)
        names = reader.fieldnames or ()
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise UsageError(f"{path.name!r} has two columns named {twice!r}", remedy="Rename one of them.")
        for position, row in enumerate(reader):
            values: dict[Any, Any] = dict(row)
            extra = values.pop(_EXTRA_CELLS, None)
            yield Record(position, position, values, "it has more cells than the header" if extra else "")


def _iter_json_lines(path: Path, default_column: str) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig") as file:
        position = -1
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            position += 1
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Record(position, position, {}, f"line {number} is not JSON: {one_line(str(error), 80)}")
                continue
            if isinstance(value, Mapping):
                yield Record(position, position, value)
            elif isinstance(value, list):
                yield Record(position, position, {}, f"line {number} is a list, and rows are objects or texts")
            else:
                yield Record(position, position, {default_column: value})

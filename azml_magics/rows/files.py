"""Files of rows: CSV and TSV, JSON lines, Parquet and Arrow, read row by row.

Each reader says what is wrong with a file in its own words: the line, the delimiter, the encoding.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import json
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.text import one_line
from .row_values import is_plain, values_of
from .table_rows import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_ARROW = (".parquet", ".pq", ".arrow", ".feather")
_OTHER_WAYS = {  # ending -> how such a file is read
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), "pandas.read_excel({name!r})"),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zip"), "pandas.read_csv({name!r})"),
    ".json": "json.load(open({name!r}))",
}
_OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar", ",": "a comma"}
_EXTRA_CELLS: Any = object()  # the key under which csv.DictReader puts cells beyond the header
_LONGEST_CELL = 64 * 1024 * 1024  # characters; csv's own limit is 131,072


class RowFile:
    """A file of rows, which can be read again from its start.

    Attributes:
        hint: What may be wrong with the names of its columns, such as another delimiter; "" if nothing.
    """

    def __init__(self, path: Path, default_column: str) -> None:
        """Check that the file exists and is of a known type.

        Args:
            path: A .csv, .tsv, .jsonl, .ndjson, .parquet, .arrow or .feather file.
            default_column: The column of lines that are plain values.

        Raises:
            UsageError: It is not.
        """
        self._path, self._default_column = path, default_column
        self._kind = path.suffix.lower()
        self.hint = ""
        known = (*_DELIMITERS, *_JSON_LINES, *_ARROW)
        if self._kind not in known:
            way = _OTHER_WAYS.get(self._kind, "pandas or polars").format(name=path.name)
            raise UsageError(
                f"{path.name!r} is not a table that can be read row by row",
                remedy=f"Read it with {way} and pass what it returns. Files that can: {', '.join(known)}.",
            )
        if not path.is_file():
            raise UsageError(f"There is no file {str(path)!r}", remedy="Check the path.")

    def read_columns(self) -> tuple[str, ...]:
        """Return the names of the columns that the file itself declares; () if its rows do."""
        columns: tuple[str, ...] = ()
        if self._kind in _DELIMITERS:
            columns = self._guard(self._read_header)
        elif self._kind in _ARROW:
            columns = self._guard(self._read_schema)
        return columns

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last.

        Raises:
            UsageError: The file cannot be read on; raised after the last row that can be.
        """
        if self._kind in _DELIMITERS:
            rows = self._iter_csv()
        else:
            rows = self._iter_arrow() if self._kind in _ARROW else self._iter_json_lines()
        count = 0
        while True:
            record = self._guard(lambda: next(rows, None), count)
            if record is None:
                return
            yield record
            count += 1

    def _guard(self, read: Callable[[], Any], count: int = 0) -> Any:
        """Return what `read` returns; errors of the file become UsageErrors that say after which row."""
        try:
            return read()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{self._path.name!r} is not UTF-8: byte 0x{error.object[error.start]:02x} after row {count}",
                remedy="Save it as UTF-8, or read it with pandas in its own encoding (cp1252 on Windows) "
                "and pass the frame.",
            ) from error
        except (OSError, csv.Error, ValueError) as error:
            raise UsageError(
                f"{self._path.name!r} cannot be read after its row {count}: {one_line(str(error), 120)}",
                remedy="Fix that place, or read the file with pandas or polars and pass the frame.",
            ) from error

    # ---- CSV

    def _read_header(self) -> tuple[str, ...]:
        with self._open() as file:
            names = tuple(next(csv.reader(file, delimiter=_DELIMITERS[self._kind]), ()))
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"{self._path.name!r} has two columns named {twice!r}", remedy="Rename one of them.")
        self.hint = self._describe_delimiter(names[0]) if len(names) == 1 else ""
        return names

    def _describe_delimiter(self, header: str) -> str:
        """Return a sentence if the only name in the header looks like several with another delimiter between."""
        seen = next((char for char in _OTHER_DELIMITERS if char in header), None)
        if seen is None:
            return ""
        return (
            f"{self._path.name!r} has one column, {one_line(header, 60)!r}: {_OTHER_DELIMITERS[seen]} seems to divide "
            f"its cells. Read it with pandas.read_csv({self._path.name!r}, sep={seen!r}) and pass the frame."
        )

    def _iter_csv(self) -> Iterator[Record]:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # for the process: csv has no other way
        with self._open() as file:
            reader: csv.DictReader[Any] = csv.DictReader(
                file, delimiter=_DELIMITERS[self._kind], restkey=_EXTRA_CELLS, strict=True
            )
            _ = reader.fieldnames  # reads the header, so that the lines below are counted from the first row
            for position in itertools.count():
                line = reader.line_num + 1
                try:
                    row = next(reader, None)
                except csv.Error as error:
                    raise csv.Error(_describe_csv_error(error, line)) from error
                if row is None:
                    return
                values: dict[Any, Any] = dict(row)
                extra = values.pop(_EXTRA_CELLS, None)
                yield Record(position, position, values, "it has more cells than the header" if extra else "")

    def _open(self) -> Any:
        """Open the file as text: UTF-8, or UTF-16 if its first bytes say so."""
        with self._path.open("rb") as file:
            start = file.read(2)
        encoding = "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        return self._path.open(encoding=encoding, newline="")

    # ---- JSON lines

    def _iter_json_lines(self) -> Iterator[Record]:
        with self._open() as file:
            lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
            for position, (number, line) in enumerate(lines):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    yield Record(position, position, {}, f"line {number} is not JSON: {one_line(str(error), 80)}")
                    continue
                values = values_of(value)
                if values is not None:
                    yield Record(position, position, values)
                elif is_plain(value):
                    yield Record(position, position, {self._default_column: value})
                else:
                    yield Record(position, position, {}, f"line {number} is a list, and rows are objects or texts")

    # ---- Parquet and Arrow

    def _read_schema(self) -> tuple[str, ...]:
        with self._open_arrow() as (schema, _):
            return tuple(schema.names)

    def _iter_arrow(self) -> Iterator[Record]:
        with self._open_arrow() as (_, batches):
            rows = (row for batch in batches for row in batch.to_pylist())
            for position, row in enumerate(rows):
                yield Record(position, position, row)

    def _open_arrow(self) -> Any:
        from .arrow_files import open_arrow

        return open_arrow(self._path)


def _describe_csv_error(error: csv.Error, line: int) -> str:
    """Say what is wrong with the row that begins at a line, in the file's terms."""
    if "unexpected end of data" in str(error):
        return f"the quote that opens on line {line} is not closed"
    return f"line {line}: {error}"

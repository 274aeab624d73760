"""Rows in a file, read one by one: CSV with a heading line, TSV, and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.text import one_line
from .records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_TOO_MANY: Any = object()  # csv's key for the cells beyond the heading


def records_of(path: Path, alone: str) -> Iterator[Record]:
    """The rows of the file. UsageError where it cannot be read, or is of no kind known here.

    `alone` names the column of JSON lines that are plain texts.
    """
    kind = path.suffix.lower()
    if kind not in (*_DELIMITERS, *_JSON_LINES):
        raise UsageError(
            f"{path.name!r} is no table that can be read row by row",
            remedy="Give a .csv, .tsv or .jsonl file; read others with pandas or polars and pass the frame.",
        )
    if not path.is_file():
        raise UsageError(f"There is no file {str(path)!r}", remedy="Check the path.")
    read = _csv_records(path, _DELIMITERS[kind]) if kind in _DELIMITERS else _json_records(path, alone)
    return _readable(path, read)


def _readable(path: Path, records: Iterator[Record]) -> Iterator[Record]:
    read = 0
    try:
        for record in records:
            yield record
            read += 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path.name!r} cannot be read after its row {read}: {one_line(str(error), 120)}",
            remedy="Files are read as UTF-8.",
        ) from error


def _csv_records(path: Path, delimiter: str) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader: csv.DictReader[Any] = csv.DictReader(file, delimiter=delimiter, restkey=_TOO_MANY)
        names = reader.fieldnames or ()
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise UsageError(f"{path.name!r} has two columns named {twice!r}", remedy="Rename one of them.")
        for position, row in enumerate(reader):
            values: dict[Any, Any] = dict(row)
            more = values.pop(_TOO_MANY, None)
            yield Record(position, position, values, "it has more cells than the heading" if more else "")


def _json_records(path: Path, alone: str) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig") as file:
        position = -1
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            position += 1
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Record(position, position, {}, f"line {number} is no JSON: {one_line(str(error), 80)}")
                continue
            if isinstance(value, Mapping):
                yield Record(position, position, value)
            elif isinstance(value, list):
                yield Record(position, position, {}, f"line {number} is a list, and rows are objects or texts")
            else:
                yield Record(position, position, {alone: value})

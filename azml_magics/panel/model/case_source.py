"""Where test cases come from and go to: a list or a frame of the notebook, or a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from azml_magics.core.errors import UsageError
from azml_magics.core.paths import path_of
from azml_magics.core.prompt.value_text import text_of_value
from azml_magics.core.text import one_line
from azml_magics.rows.cell_data import as_prompt_value
from azml_magics.rows.sources import is_dask, table_of
from azml_magics.rows.table_rows import is_missing

from .case_table import MAX_CASES, CaseTable
from .notebook_names import find_variable, names_of, variable_name
from .output_variable import read_output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CSV: Final = ".csv"
_FILE_TYPES: Final = (CSV, ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".feather")


def find_tables(notebook: Mapping[str, Any]) -> list[str]:
    """Return the names of the notebook's lists of dicts and of its frames."""
    return names_of(notebook, _is_table)


def _is_table(value: Any) -> bool:
    if type(value) is list:
        return bool(value) and all(isinstance(row, dict) for row in value[:MAX_CASES])
    kind = type(value)
    return kind.__name__ == "DataFrame" and hasattr(kind, "columns") and not is_dask(value)


def read_cases(text: str, notebook: Mapping[str, Any], default_column: str) -> CaseTable:
    """Return the cases of a variable of the notebook, or of a file.

    Args:
        text: `rows` or `$rows` for a variable, else the path of a file.
        notebook: the notebook's variables.
        default_column: the column of rows that are plain texts.

    Raises:
        UsageError: if there is no such variable or file, it is not a table, or it has too many rows.
    """
    name = variable_name(text)
    rows = find_variable(name, notebook) if name else _path(text)
    if isinstance(rows, Iterator):
        raise UsageError(f"{name} can be read only once", remedy=f"Make a list of it: {name} = list({name}).")
    if is_dask(rows):
        raise UsageError(f"{name} is a dask DataFrame", remedy=f"Take some of its rows: {name}.head(100).")
    records = list(itertools.islice(table_of(rows, default_column).records(), MAX_CASES + 1))
    problem = next((record for record in records if record.problem), None)
    if problem is not None:
        raise UsageError(f"Row {problem.index!r} cannot be read: {problem.problem}", remedy="Fix it, or leave it out.")
    if len(records) > MAX_CASES:
        raise UsageError(
            f"{text.strip()} has more than {MAX_CASES} rows",
            remedy="Take fewer here, and send all of them with a cell.",
        )
    return CaseTable.from_dicts({name: _text_of(value) for name, value in record.values.items()} for record in records)


def _path(text: str) -> Path:
    if not text.strip():
        raise UsageError("There is nothing to import", remedy="Name a variable of the notebook, or a file.")
    path = path_of(text.strip())
    if path.suffix.lower() not in _FILE_TYPES:
        raise UsageError(
            f"{one_line(text.strip(), 60)!r} is neither a variable nor a table's file",
            remedy=f"Files end in {', '.join(_FILE_TYPES)}.",
        )
    return path


def _text_of(value: Any) -> str:
    if is_missing(value):
        return ""
    try:
        return text_of_value(as_prompt_value(value))
    except Exception as error:
        raise UsageError(
            f"str() of a {type(value).__name__} raised {type(error).__name__}: {one_line(str(error), 100)}"
        ) from error


def place_of(text: str) -> tuple[str, Path | None]:
    """Return what a cell says after --each for a place, and the file if it is one.

    Args:
        text: the name of a variable, or the path of a .csv file.

    Raises:
        UsageError: if it is neither.
    """
    text = text.strip()
    if text.lower().endswith(CSV):
        return text, path_of(text)
    name = read_output(text)
    if not name:
        raise UsageError("The cases have no name", remedy="Name a variable, such as cases, or a .csv file.")
    return f"${name}", None

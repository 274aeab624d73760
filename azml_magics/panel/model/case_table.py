"""A table of test cases: the values of the prompt's variables, one row for each case. Pure data."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from azml_magics.core.errors import UsageError
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_CASES: Final = 500
_LONGEST_CELL: Final = 64 * 1024 * 1024  # characters; csv's own limit is 131,072


@dataclass(frozen=True)
class CaseTable:
    """Test cases in order. Every change returns a new table.

    Attributes:
        columns: the names of the columns.
        rows: the values of each case, one for each column.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[str, str]]) -> CaseTable:
        """Return the table of some dicts; a value that one of them lacks is empty.

        Raises:
            UsageError: if there are too many.
        """
        listed = list(rows)
        columns = tuple(dict.fromkeys(name for row in listed for name in row))
        return _checked(cls(columns, tuple(tuple(row.get(name, "") for name in columns) for row in listed)))

    def to_dicts(self) -> list[dict[str, str]]:
        """Return a dict for each case."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def value(self, index: int, column: str) -> str:
        """Return the value of a case in a column; "" if there is no such column."""
        return self.rows[index][self.columns.index(column)] if column in self.columns else ""

    def with_columns(self, names: Iterable[str]) -> CaseTable:
        """Return the table with further columns, empty in every case."""
        new = tuple(name for name in dict.fromkeys(names) if name not in self.columns)
        return CaseTable(self.columns + new, tuple(row + ("",) * len(new) for row in self.rows)) if new else self

    def with_value(self, index: int, column: str, text: str) -> CaseTable:
        """Return the table with another value of a case; a column that is missing is added."""
        table = self.with_columns([column])
        at = table.columns.index(column)
        row = table.rows[index]
        changed = (*row[:at], text, *row[at + 1 :])
        return replace(table, rows=(*table.rows[:index], changed, *table.rows[index + 1 :]))

    def with_case(self) -> CaseTable:
        """Return the table with an empty case at its end."""
        return _checked(replace(self, rows=(*self.rows, ("",) * len(self.columns))))

    def with_copy(self, index: int) -> CaseTable:
        """Return the table with a copy of a case below it."""
        return _checked(replace(self, rows=self.rows[: index + 1] + self.rows[index:]))

    def without(self, index: int) -> CaseTable:
        """Return the table without a case."""
        return replace(self, rows=self.rows[:index] + self.rows[index + 1 :])

    def empty_cases(self, column: str) -> list[int]:
        """Return the numbers of the cases, from 1, whose value in a column is empty."""
        at = self.columns.index(column)
        return [number for number, row in enumerate(self.rows, 1) if not row[at].strip()]

    # ---- text

    def to_csv(self) -> str:
        """Return the table as CSV, with the names of the columns on its first line; "" without columns."""
        if not self.columns:
            return ""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue()

    @classmethod
    def from_text(cls, text: str) -> CaseTable:
        """Return the table of a text in CSV, or copied from a spreadsheet: its first line has the columns' names.

        The cells are divided by tabs if the first line has one, else by commas, else by semicolons.

        Raises:
            UsageError: if it is not a table; the message has the line.
        """
        lines = _read_lines(text)
        if not lines:
            return cls()
        _, names = lines[0]
        columns = tuple(name.strip() for name in names)
        _check_columns(columns)
        rows = []
        for number, cells in lines[1:]:
            if len(cells) > len(columns):
                raise UsageError(
                    f"Line {number} has {len(cells)} cells, and there are {_count(len(columns), 'column')}",
                    remedy="Put quotes around a text that has commas or line breaks.",
                )
            rows.append((*cells, *("",) * (len(columns) - len(cells))))
        return _checked(cls(columns, tuple(rows)))


def _read_lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that are not blank, each with the number of its first line in the text."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # for the process: csv has no other way
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text), strict=True)
    lines, start = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise UsageError(f"The quote that opens on line {start} is not closed", remedy="Close it.") from None
        raise UsageError(
            f"Line {start} cannot be read: {one_line(str(error), 100)}", remedy="Double a quote within quotes."
        ) from None
    return lines


def _delimiter_of(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((char for char in "\t,;" if char in first), ",")


def _check_columns(columns: Sequence[str]) -> None:
    for number, name in enumerate(columns, 1):
        if not name:
            raise UsageError(f"Column {number} has no name", remedy="Name it on the first line, or remove it.")
        if columns.index(name) != number - 1:
            raise UsageError(f"Two columns are named {name!r}", remedy="Rename one of them.")


def _checked(table: CaseTable) -> CaseTable:
    if len(table) > MAX_CASES:
        raise UsageError(
            f"There are {len(table):,} cases, and the table takes {MAX_CASES}",
            remedy="Take fewer here, and send all of them with a cell.",
        )
    return table


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def count_cases(number: int) -> str:
    """Return a number of cases in words, such as "3 cases"."""
    return f"{number:,} case{'' if number == 1 else 's'}"

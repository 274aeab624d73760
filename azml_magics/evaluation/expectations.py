"""Expectations: the columns of a table that hold the right answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.text import did_you_mean, one_line
from .answers import has_expectation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHOLE = ""
"""The field that stands for the whole text of a response."""


@dataclass(frozen=True)
class Expectations:
    """Which column has the right answer, for the whole text or for fields of a schema.

    Attributes:
        columns: The column of each field; `WHOLE` is the response's text.
    """

    columns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_argument(cls, expect: str | Mapping[str, str] | Sequence[str] | None) -> Expectations:
        """Return the expectations that an argument stands for.

        Args:
            expect: A column ("label"), or "FIELD=COLUMN", or several of them, or a mapping of fields to columns.

        Raises:
            UsageError: It is none of these, or a field is named twice.
        """
        if expect is None:
            return cls()
        if hasattr(expect, "items"):
            return cls(dict(expect.items()))
        texts = [expect] if isinstance(expect, str) else list(expect)
        columns: dict[str, str] = {}
        for text in texts:
            if not isinstance(text, str) or not text.strip():
                raise UsageError(f"expect takes the name of a column or FIELD=COLUMN, not {one_line(repr(text), 60)}")
            name, separator, column = text.partition("=")
            name, column = (name.strip(), column.strip()) if separator else (WHOLE, text.strip())
            if name in columns:
                raise UsageError(
                    f"expect names two columns for {f'the field {name!r}' if name else 'the text'}: "
                    f"{columns[name]!r} and {column!r}",
                    remedy="Leave one of them out.",
                )
            columns[name] = column
        return cls(columns)

    def __bool__(self) -> bool:
        return bool(self.columns)

    def check(self, columns: Sequence[str], fields: Sequence[str] | None) -> None:
        """Check that the table has the columns, and the schema the fields.

        Args:
            columns: The table's columns.
            fields: The schema's fields; None without a schema.

        Raises:
            UsageError: One of them does not exist.
        """
        for name, column in self.columns.items():
            if column not in columns:
                known = one_line(", ".join(map(str, columns)), 200)
                remedy = did_you_mean(column, columns).strip() or f"The columns are {known}."
                raise UsageError(f"The table has no column {column!r} to expect", remedy=remedy)
            if name == WHOLE:
                continue
            if fields is None:
                raise UsageError(
                    f"expect names the field {name!r}, and there is no schema",
                    remedy="Give a schema, or expect the column alone for the whole text.",
                )
            if name not in fields:
                remedy = did_you_mean(name, fields).strip() or f"The fields are {one_line(', '.join(fields), 200)}."
                raise UsageError(f"The schema has no field {name!r} to expect", remedy=remedy)

    def of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a row expects, by field; a field whose cell is empty or missing is left out."""
        found = {name: row.get(column) for name, column in self.columns.items()}
        return {name: value for name, value in found.items() if has_expectation(value)}

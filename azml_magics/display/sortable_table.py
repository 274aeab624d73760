"""A table of values as a cell's result, which our viewer can sort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .mime import sortable_bundle
from .table import TableOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Value = str | int | float | None


@dataclass(frozen=True, repr=False)
class SortableTable(TableOutput):
    """A table with aligned text, escaped HTML, and the values themselves for our viewer.

    Attributes:
        values: The values of each row: numbers as such, None for an empty cell.
    """

    values: Sequence[Sequence[Value]] = ()

    @classmethod
    def of(
        cls,
        headings: Sequence[str],
        values: Sequence[Sequence[Value]],
        note: str = "",
        to_text: Callable[[Value], str] = lambda value: "" if value is None else str(value),
    ) -> SortableTable:
        """Return the table of some values.

        Args:
            headings: One text for each column.
            values: The values of each row.
            note: Lines below the table.
            to_text: How a value is written.
        """
        return cls(headings, [[to_text(value) for value in row] for row in values], note, values)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return sortable_bundle(self, self.values)

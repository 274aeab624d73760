"""Table: what every kind of rows can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .table_rows import RESPONSE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .table_rows import Column, Record, TableRow


class Table(Protocol):
    """Rows of one type.

    Attributes:
        columns: Their names; for rows that are read one by one, those of the first row. A frame's also has the names of
            its index.
        is_lazy: Whether the rows can be read once only and are never held as a whole.
        hint: What may be wrong with the names of the columns; "" if nothing.
    """

    columns: tuple[str, ...]
    is_lazy: bool
    hint: str

    @property
    def length(self) -> int | None:
        """The number of rows, None if only reading tells."""

    @property
    def failed_rows(self) -> str:
        """Python that selects the failed rows from the table {name} with the column {error}."""

    def records(self) -> Iterator[Record]:
        """Return an iterator over the rows, first to last."""

    def peek(self, count: int) -> list[Record]:
        """Return the first rows, at most `count`; none of them is lost to `records`."""

    def take(self, positions: Sequence[int]) -> Table:
        """Return a table of the rows at `positions`, which ascend."""

    def with_responses(self, rows: Iterable[TableRow], columns: Sequence[Column] = RESPONSE_COLUMNS) -> Any:
        """Return the table with the columns of the responses, as the type that came in.

        Args:
            rows: One for each row of the table.
            columns: The columns to add; one that the table has already gets a prefix.
        """

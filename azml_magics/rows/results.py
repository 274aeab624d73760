"""Rows on their way in (Record) and out (TableRow), and the Results of a run.

A response adds columns to its row: RESPONSE_COLUMNS and, with a schema, one for each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..compare.comparison import Batch, Row
from ..core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from .progress import Progress

Kind = Literal["text", "integer", "number", "boolean", "any"]


class Column(NamedTuple):
    """A column that responses add to a table.

    Attributes:
        name: the column's name, before `unique_names` adds a prefix.
        kind: the type of its values that are not None.
    """

    name: str
    kind: Kind


RESPONSE_COLUMNS = (
    Column("text", "text"),
    Column("error", "text"),
    Column("finish_reason", "text"),
    Column("prompt_tokens", "integer"),
    Column("completion_tokens", "integer"),
    Column("latency", "number"),
)
_PREFIX = "answer_"
_NOT_SENT = "not sent"
_MAX_LABEL = 60  # characters
_PREVIEW_ROWS = 5
_PREVIEW_TEXT = 300  # characters of a response in the preview


def is_missing(value: Any) -> bool:
    """Return whether a cell is empty: None, NaN, or NA or NaT of pandas. An empty text is a value."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - true for NaN and NaT only
    except Exception:  # noqa: BLE001 - an array, or an object that compares in its own way, is a value
        return False


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it was read from a table.

    Attributes:
        position: its place in the table, from 0.
        index: its label in the table, such as an entry of a DataFrame's index; the position if there are no labels.
        values: its values by column.
        problem: why no request can be made of it, "" if one can.
    """

    position: int
    index: Any
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class TableRow(Row):
    """A row of a table and its response. Without a response and an error no request was sent for it.

    Attributes:
        setting: the values of the columns that the prompt uses.
        position: its place in the table, from 0.
        index: its label in the table.
        reused: whether the response or the error comes from the journal.
        fields: the values of the columns of a schema.
    """

    position: int = 0
    index: Any = None
    reused: bool = False
    fields: tuple[Any, ...] = ()

    @property
    def was_sent(self) -> bool:
        """Whether there is a response or an error."""
        return self.response is not None or self.error is not None

    @property
    def failure(self) -> str:
        """The error in one line, "not sent" if no request was sent, "" after a success."""
        return super().failure if self.was_sent else _NOT_SENT

    @property
    def label(self) -> str:
        """The values of the setting on one line, without missing ones."""
        return one_line(", ".join(filter(None, self.shown.values())), _MAX_LABEL)

    @property
    def shown(self) -> dict[str, str]:
        """The setting as texts, "" for a missing value."""
        return {name: "" if is_missing(value) else str(value) for name, value in self.setting.items()}

    def cells(self) -> tuple[Any, ...]:
        """Return the values of the schema's columns and of RESPONSE_COLUMNS, None for an empty cell."""
        response = self.response
        usage = response.usage if response else None
        return (
            *self.fields,
            response.text if response else None,
            self.failure or None,
            response.finish_reason if response else None,
            usage.prompt_tokens if usage else None,
            usage.completion_tokens if usage else None,
            response.latency if response else None,
        )


def cells_by_column(rows: Iterable[TableRow], columns: Sequence[Column]) -> list[tuple[Any, ...]]:
    """Return the cells of all rows, one tuple for each column."""
    return list(zip(*(row.cells() for row in rows), strict=True)) or [() for _ in columns]


def unique_names(taken: Collection[str], columns: Sequence[Column] = RESPONSE_COLUMNS) -> tuple[str, ...]:
    """Return the names of `columns` in a table that has the columns `taken`: `answer_text` if it has a `text`."""
    names: dict[str, None] = {}
    for name, _ in columns:
        free = name
        while free in taken or free in names:
            free = f"{_PREFIX}{free}"
        names[free] = None
    return tuple(names)


class Results(Batch):
    """The rows of a run in the table's order. Displayed as a preview, because a notebook saves every output.

    Attributes:
        progress: the counts of the run.
        note: a sentence about the run, such as why it ended early; "" if there is nothing to say.
    """

    def __init__(
        self,
        rows: Iterable[TableRow],
        progress: Progress,
        table: Callable[[Iterable[Any]], Any],
        *,
        note: str = "",
        is_complete: bool = True,
    ) -> None:
        """Collect the rows.

        Args:
            rows: every row of the table, also those that were not sent.
            progress: the counts of the run.
            table: returns the table that came in with the columns of the given rows' responses.
            note: a sentence about the run.
            is_complete: whether no further rows come.
        """
        super().__init__(rows, is_complete=is_complete)
        self.progress = progress
        self.note = note
        self._table = table

    def to_table(self) -> Any:
        """Return the table with the columns of the responses: a DataFrame if one came in, else a list of dicts."""
        return self._table(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a flat dict for each row: its columns and those of the response."""
        table = self.to_table()
        if isinstance(table, list):
            return table
        dicts: list[dict[str, Any]] = (
            table.to_dicts() if hasattr(table, "to_dicts") else table.to_dict(orient="records")  # polars, pandas
        )
        return dicts

    def summary(self) -> str:
        """Return the run's counts and its note in one line."""
        return one_line(". ".join(filter(None, [str(self.progress), self.note])))

    def preview(self) -> list[TableRow]:
        """Return the first rows and, unless all of these failed, the first failed rows after them."""
        rows: list[Any] = list(self)[:_PREVIEW_ROWS]
        if any(row.error is None for row in rows):
            rows += [row for row in list(self)[_PREVIEW_ROWS:] if row.error is not None][: _PREVIEW_ROWS - 2]
        return rows

    def to_text(self, *, times: bool = False) -> str:
        """Return the counts and the preview as text.

        Args:
            times: add how long the run took.
        """
        lines = [self.counts(times=times), ""]
        for row in self.preview():
            label = f"{row.index}: {row.label}" if row.label else f"{row.index}"
            lines += [f"[{one_line(label, 100)}]", *filter(None, (one_line(row.text, _PREVIEW_TEXT), row.failure)), ""]
        return "\n".join([*lines, self.rest()]).rstrip()

    def counts(self, *, times: bool = False) -> str:
        """Return how many rows there are, failed and were not sent; without times it is the same in every run."""
        failed = sum(row.error is not None for row in self)
        unsent = len(self) - failed - sum(row.response is not None and row.error is None for row in self)
        counts = f"{len(self):,} rows" + (f", {failed:,} failed" if failed else "")
        counts += f", {unsent:,} {_NOT_SENT}" if unsent else ""
        return self.summary() if times else ". ".join(filter(None, [counts, self.note]))

    def rest(self) -> str:
        """Return how many rows the preview leaves out, "" if it has all."""
        more = len(self) - len(self.preview())
        return f"… and {more:,} more" if more > 0 else ""

"""Rows on their way in (Record) and out (TableRow), and the columns that a response adds to a table."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..compare.comparison import Row
from ..core.text import one_line

Kind = Literal["text", "integer", "number", "boolean", "any"]


class Column(NamedTuple):
    """A column that responses add to a table.

    Attributes:
        name: The column's name, before `unique_names` adds a prefix.
        kind: The type of its values that are not None.
    """

    name: str
    kind: Kind


ERROR_COLUMN = Column("error", "text")
RESPONSE_COLUMNS = (
    Column("text", "text"),
    ERROR_COLUMN,
    Column("finish_reason", "text"),
    Column("prompt_tokens", "integer"),
    Column("completion_tokens", "integer"),
    Column("latency", "number"),
)
EMBEDDING_COLUMN = Column("embedding", "any")
_PREFIX = "answer_"
NOT_SENT = "not sent"
_MAX_LABEL = 60  # characters


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
        position: Its place in the table, from 0.
        index: Its label in the table, such as an entry of a DataFrame's index; the position if there are no labels.
        values: Its values by column.
        problem: Why no request can be made of it, "" if one can.
    """

    position: int
    index: Any
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class TableRow(Row):
    """A row of a table and its response. Without a response and an error no request was sent for it.

    Attributes:
        setting: The values of the columns that the prompt uses.
        position: Its place in the table, from 0.
        index: Its label in the table.
        reused: Whether the response or the error comes from the journal.
        fields: The values of the columns of a schema.
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
        return super().failure if self.was_sent else NOT_SENT

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
    """Return the names of `columns` in a table that has the columns `taken`.

    A name that is taken gets a prefix, and then a number: `text`, `answer_text`, `answer_text_2`. A run whose table
    goes into the next run adds columns to it, and replaces none.
    """
    names: dict[str, None] = {}
    for name, _ in columns:
        candidates = itertools.chain((name, f"{_PREFIX}{name}"), (f"{_PREFIX}{name}_{n}" for n in itertools.count(2)))
        names[next(free for free in candidates if free not in taken and free not in names)] = None
    return tuple(names)

"""What a row is, going in (Record) and coming out (TableRow), and the columns that an answer adds to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..compare.comparison import Row
from ..core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Kind = Literal["text", "integer", "number", "boolean", "any"]


class Column(NamedTuple):
    """A column that answers add to a table. `kind`: what stands in it where it is not empty."""

    name: str
    kind: Kind


ANSWER_COLUMNS = (
    Column("text", "text"),
    Column("error", "text"),
    Column("finish_reason", "text"),
    Column("prompt_tokens", "integer"),
    Column("completion_tokens", "integer"),
    Column("latency", "number"),
)
_PREFIX = "answer_"
_NOT_ASKED = "not asked"
_LONGEST_LABEL = 60


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: None, NaN, pandas' NA and NaT. An empty text is a value."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - what NaN and NaT alone are
    except Exception:  # noqa: BLE001 - an array, or an object that compares in its own way: there is something
        return False


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it was read: where it stands, its label in the table, its values by column.

    problem: why it cannot be asked, "" where it can.
    """

    position: int
    index: Any
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class TableRow(Row):
    """A row and its answer. `setting` has the columns that the prompt uses.

    position: counted from 0. index: its label in the table. reused: the answer was in the journal already. fields: what
    stands in the columns of a schema.
    Without a response and without an error it was not asked.
    """

    position: int = 0
    index: Any = None
    reused: bool = False
    fields: tuple[Any, ...] = ()

    @property
    def was_asked(self) -> bool:
        """Whether there is an answer or an error."""
        return self.response is not None or self.error is not None

    @property
    def failure(self) -> str:
        """The error in one line, "not asked" for a row that was not, "" for one with an answer."""
        return super().failure if self.was_asked else _NOT_ASKED

    @property
    def label(self) -> str:
        """What sets the row apart, on one line: the values that are there, "" where none is."""
        return one_line(", ".join(filter(None, self.shown.values())), _LONGEST_LABEL)

    @property
    def shown(self) -> dict[str, str]:
        """The setting as texts, "" for a value that is missing."""
        return {name: "" if is_missing(value) else str(value) for name, value in self.setting.items()}

    def answer(self) -> tuple[Any, ...]:
        """The values of the schema's columns and of ANSWER_COLUMNS; None where there is nothing to say."""
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


def answer_columns(rows: Iterable[TableRow], columns: Sequence[Column]) -> list[tuple[Any, ...]]:
    """The values of the answers, a tuple for each column."""
    return list(zip(*(row.answer() for row in rows), strict=True)) or [() for _ in columns]


def answer_names(taken: Collection[str], columns: Sequence[Column] = ANSWER_COLUMNS) -> tuple[str, ...]:
    """The names of the answer's columns beside the columns `taken`: `answer_text` where there is a `text` already."""
    names: dict[str, None] = {}
    for name, _ in columns:
        free = name
        while free in taken or free in names:
            free = f"{_PREFIX}{free}"
        names[free] = None
    return tuple(names)

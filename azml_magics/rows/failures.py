"""The failed rows of a run: grouped by cause, and how to send them again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .table_rows import TableRow

_MAX_GROUPS = 5
_MAX_LABELS = 10
_MAX_CAUSE = 200  # characters
_MAX_LABEL = 40
_WITH_DIGIT = re.compile(r"[\w.,:/-]*\d[\w.,:/-]*\w|\d")


def describe_failures(rows: Iterable[TableRow]) -> list[str]:
    """Return a sentence for each cause of failures, the most frequent first, such as

        3 rows failed: RateLimitError: Too many requests (rows 2, 5, 9).

    Causes that differ by numbers or by the row's label only are one; "…" stands where they differ.
    """
    groups: dict[tuple[str, str], list[TableRow]] = {}
    for row in rows:
        if row.error is not None:
            groups.setdefault((type(row.error).__name__, _general_cause(row)), []).append(row)
    largest = sorted(groups.items(), key=lambda group: -len(group[1]))  # equal ones in the rows' order
    lines = [_describe(kind, general, failed) for (kind, general), failed in largest[:_MAX_GROUPS]]
    others = sum(len(failed) for _, failed in largest[_MAX_GROUPS:])
    return [*lines, f"{_rows(others)} failed for other reasons."] if others else lines


def _describe(kind: str, general: str, failed: list[TableRow]) -> str:
    causes = {_cause(row) for row in failed}
    cause = causes.pop() if len(causes) == 1 else general
    labels = [one_line(str(row.index), _MAX_LABEL) for row in failed]
    more = f" and {len(labels) - _MAX_LABELS:,} more" if len(labels) > _MAX_LABELS else ""
    which = f"{'row' if len(labels) == 1 else 'rows'} {', '.join(labels[:_MAX_LABELS])}{more}"
    shown = one_line(cause, _MAX_CAUSE).rstrip(".")
    return f"{_rows(len(failed))} failed: {kind}{': ' if shown else ''}{shown} ({which})."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _cause(row: TableRow) -> str:
    return one_line(str(getattr(row.error, "cause", row.error)))


def _general_cause(row: TableRow) -> str:
    """The cause without the row's label and without numbers and ids."""
    return _WITH_DIGIT.sub("…", _cause(row).replace(f"Row {row.index!r}", "Row …"))


@dataclass(frozen=True)
class Retry:
    """How the failed rows of a run can be sent again.

    Attributes:
        has_journal: Whether the run has a journal, in which they are marked.
        selection: Python that selects them, with {name} for the table and {error} for the name of its error column.
        error_column: That name.
    """

    has_journal: bool
    selection: str
    error_column: str = "error"

    def select_from(self, name: str) -> str:
        """Return Python that selects the failed rows from the table in the variable `name`."""
        return self.selection.format(name=name, error=repr(self.error_column))

    def __str__(self) -> str:
        if self.has_journal:
            return "The same run with retry_failed=True sends them again."
        return f"To send them again, take them from the table: {self.select_from('out')}"

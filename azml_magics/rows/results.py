"""Results: the rows of a run with their responses, and the table that they make."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..compare.comparison import Batch
from ..core.text import one_line, printable
from .failures import Retry, describe_failures
from .progress import Progress
from .table_rows import NOT_SENT, TableRow

_PREVIEW_ROWS = 5
_PREVIEW_TEXT = 300  # characters of a response in the preview
_PREVIEW_CELL = 100  # characters of a value of a schema's column


class Results(Batch):
    """The rows of a run in the table's order. Displayed as a preview, because a notebook saves every output.

    Attributes:
        progress: The counts of the run.
        note: A sentence about the run, such as why it ended early; "" if there is nothing to say.
        fields: The names of a schema's columns; () without a schema.
        retry: How the failed rows can be sent again, None if unknown.
        retry_line: The same as a line below the failures.
    """

    def __init__(
        self,
        rows: Iterable[TableRow],
        progress: Progress,
        table: Callable[[Iterable[Any]], Any],
        *,
        note: str = "",
        is_complete: bool = True,
        retry: Retry | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        """Collect the rows.

        Args:
            rows: Every row of the table, also those that were not sent.
            progress: The counts of the run.
            table: Returns the table that came in with the columns of the given rows' responses.
            note: A sentence about the run.
            is_complete: Whether no further rows come.
            retry: How the failed rows can be sent again.
            fields: The names of a schema's columns.
        """
        super().__init__(rows, is_complete=is_complete)
        self.progress = progress
        self.note = note
        self.fields = tuple(fields)
        self.retry = retry
        self.retry_line = str(retry or "")
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
            times: Add how long the run took.
        """
        lines = [self.counts(times=times), *self.failures(), ""]
        for row in self.preview():
            label = f"{row.index}: {row.label}" if row.label else f"{row.index}"
            cells = zip(self.fields, self.cells(row), strict=True)
            values = ", ".join(f"{name}: {value}" for name, value in cells if value)
            shown = (one_line(row.text, _PREVIEW_TEXT), values, row.failure)
            lines += [f"[{one_line(label, 100)}]", *filter(None, shown), ""]
        return printable("\n".join([*lines, self.rest()]).rstrip())

    def cells(self, row: TableRow) -> list[str]:
        """Return the values of a schema's columns as texts for the preview, "" for what is absent."""
        values = row.fields[: len(self.fields)]
        return ["" if value is None else one_line(_as_text(value), _PREVIEW_CELL) for value in values]

    def counts(self, *, times: bool = False) -> str:
        """Return how many rows there are, failed and were not sent; without times it is the same in every run."""
        failed = sum(row.error is not None for row in self)
        unsent = len(self) - failed - sum(row.response is not None and row.error is None for row in self)
        counts = (self.progress.rows_read or f"{len(self):,} rows") + (f", {failed:,} failed" if failed else "")
        counts += f", {unsent:,} {NOT_SENT}" if unsent else ""
        return self.summary() if times else ". ".join(filter(None, [counts, self.note]))

    def failures(self) -> list[str]:
        """Return a line for each cause of failures and one that says how to send these rows again.

        [] if at most one row failed: the preview shows it.
        """
        failed: list[Any] = [row for row in self if row.error is not None]
        return [*describe_failures(failed), *filter(None, [self.retry_line])] if len(failed) > 1 else []

    def rest(self) -> str:
        """Return how many rows the preview leaves out, "" if it has all."""
        more = len(self) - len(self.preview())
        return f"… and {more:,} more" if more > 0 else ""


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

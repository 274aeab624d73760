"""Results: the rows of a run with their answers, and the table that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..compare.comparison import Batch
from ..core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .progress import Progress
    from .records import TableRow

_SHOWN = 5
_CELL = 300  # letters of an answer in the preview


class Results(Batch):
    """The rows in the table's order, with what `Batch` has. `to_table()` is the table that came in, with the answers.

    progress: the counts of the run that made them. note: what a person should know about them, "" for nothing.
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
        super().__init__(rows, is_complete=is_complete)
        self.progress = progress
        self.note = note
        self._table = table

    def to_table(self) -> Any:
        """A DataFrame where one came in, else a list of dicts: the rows' columns and the answers'."""
        return self._table(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict a row: its values, text, finish reason, token counts, latency and error."""
        table = self.to_table()
        if isinstance(table, list):
            return table
        dicts: list[dict[str, Any]] = (
            table.to_dicts() if hasattr(table, "to_dicts") else table.to_dict(orient="records")  # polars, pandas
        )
        return dicts

    def summary(self) -> str:
        """The run in one line."""
        return one_line(". ".join(filter(None, [str(self.progress), self.note])))

    # ---- forms: the first rows and the first failures; a table of 100,000 is nobody's output

    def preview(self) -> list[TableRow]:
        """The first rows, and the first that failed where those did not."""
        rows: list[Any] = list(self)[:_SHOWN]
        if any(row.error is None for row in rows):
            rows += [row for row in list(self)[_SHOWN:] if row.error is not None][: _SHOWN - 2]
        return rows

    def to_text(self, *, times: bool = False) -> str:
        """The counts - with the time that they took, where asked for - and the first rows."""
        lines = [self.counts(times=times), ""]
        for row in self.preview():
            label = f"{row.index}: {row.label}" if row.label else f"{row.index}"
            lines += [f"[{one_line(label, 100)}]", *filter(None, (one_line(row.text, _CELL), row.failure)), ""]
        return "\n".join([*lines, self.rest()]).rstrip()

    def counts(self, *, times: bool = False) -> str:
        """The summary; without times it is the same whenever the same rows give the same answers."""
        failed = sum(row.error is not None for row in self)
        unasked = len(self) - failed - sum(row.response is not None and row.error is None for row in self)
        counts = f"{len(self):,} rows" + (f", {failed:,} failed" if failed else "")
        counts += f", {unasked:,} not asked" if unasked else ""
        return self.summary() if times else ". ".join(filter(None, [counts, self.note]))

    def rest(self) -> str:
        """How many rows the forms leave out, "" where they have all."""
        more = len(self) - len(self.preview())
        return f"… and {more:,} more" if more > 0 else ""

"""RowMapper: a prompt over a table, checked and ready to run. The functions, the notebook and dask share it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, Interrupted, RowsError
from .failures import Retry
from .journal import Journal
from .journal_summary import summarize_journal
from .results import Results
from .runner import Run
from .selection import select_rows
from .sources import StreamTable, table_of
from .table_rows import ERROR_COLUMN, RESPONSE_COLUMNS, unique_names
from .targets import make_row_prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ..core.client import Client
    from ..core.prompt.schema import Schema
    from .journal_summary import JournalSummary
    from .progress import Done, Progress
    from .prompts import Prompt
    from .run_options import RunOptions
    from .table import Table
    from .table_rows import Record, TableRow

    OnProgress = Callable[[Progress], Any]
    OnBegin = Callable[["JournalSummary | None"], Any]

LOOK_AHEAD = 1024  # rows of a stream that may be read before the first of them is taken
TICK = 0.1  # seconds between two updates of the progress


class RowMapper:
    """A prompt and a table that fit each other.

    Attributes:
        row_prompt: The prompt of every row.
        table: The rows that were selected.
        limit, sample: How they were selected.
    """

    def __init__(
        self,
        config: Any,
        prompt: Prompt | None,
        rows: Any,
        *,
        variables: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
        limit: int | None = None,
        sample: int | None = None,
        client: Client | None = None,
        name: str = "",
    ) -> None:
        """Check the prompt and the rows. The arguments are those of `map_rows`; `name` is that of a Runnable.

        Raises:
            UsageError: The rows cannot be read, or the prompt uses no column.
            UndefinedVariableError: A variable of the prompt is not a column and has no value.
        """
        self.row_prompt = make_row_prompt(config, prompt, variables, schema, client, name=name)
        self.limit, self.sample = limit, sample
        self.table: Table = select_rows(table_of(rows, self.row_prompt.default_column), limit, sample)
        if self.table.columns:  # a list or an iterator without rows has none, and a run over it sends nothing
            self.row_prompt.check(self.table.columns, self.table.hint)

    def start(self, options: RunOptions, on_begin: OnBegin | None = None) -> Run:
        """Return a run that has not begun. Resolves the key, which may prompt for it, and opens the journal.

        Args:
            options: The limits of the run, and its journal.
            on_begin: Called with what the journal has of the rows; None if it has nothing or only reading tells.

        Raises:
            KeyNotFoundError: The config's key cannot be found.
            JournalError: The journal cannot be used.
        """
        secrets = self.row_prompt.resolve_keys()
        journal = None if options.journal is None else Journal(options.journal, self.row_prompt.settings(), secrets)
        if on_begin is not None:
            try:
                on_begin(
                    None if journal is None else summarize_journal(journal, [self.row_prompt], self.table, options)
                )
            except BaseException:
                if journal is not None:
                    journal.close()
                raise
        ahead = max(LOOK_AHEAD, 8 * options.concurrency) if self.table.is_lazy else None
        records, total = self.table.records(), self.table.length
        return Run(
            self.row_prompt,
            records,
            options,
            journal=journal,
            total=total,
            look_ahead=ahead,
            counts_read=self.table.is_lazy and self.sample is None,  # a sample reads all rows, and takes some
        )

    def count(self, thing: str, *, is_part: bool = False) -> str:
        """Return how many rows there are, such as "3 rows" or "at most 20 rows"; "" if only reading tells.

        Args:
            thing: What is counted, in the singular.
            is_part: Whether the table is only the beginning of the rows.
        """
        length = None if is_part else self.table.length
        most = length if length is not None else self.limit or self.sample
        if most is None:
            return ""
        return f"{'at most ' if length is None else ''}{most:,} {thing}{'' if most == 1 else 's'}"

    # ---- all rows at once

    def results(
        self, options: RunOptions, on_progress: OnProgress | None = None, on_begin: OnBegin | None = None
    ) -> Results:
        """Send every row and return the results.

        Args:
            options: The limits of the run, and its journal.
            on_progress: Called with the counts about ten times a second.
            on_begin: Called before the first row, as in `start`.

        Raises:
            Interrupted: The user stopped the run; `batch` has the results so far.
            RowsError: The run ended early; `batch` has the results so far.
        """
        done: list[Done] = []
        run = self.start(options, on_begin)
        try:
            with run:
                for rows in take_rows(run, on_progress):
                    done += rows
        except KeyboardInterrupt:
            done += run.take(0)
            raise Interrupted(batch=self.collect(run, done, note="Interrupted")) from None
        finally:
            done += run.take(0)
            for record, _ in done:
                run.left.pop(record.position, None)
            self.give_back(run)
        self.raise_early_end(run, options, lambda: self.collect(run, done, note="Stopped early"))
        return self.collect(run, done, note=run.budget.note)

    def collect(self, run: Run, done: list[Done], note: str = "") -> Results:
        """Return the results of a run.

        Args:
            run: A run that has ended.
            done: The rows that are done; the other rows of a table become rows that were not sent.
            note: A sentence about the run.
        """
        if self.table.is_lazy:
            done.sort(key=lambda pair: pair[0].position)
            records = [record for record, _ in done]
            names = self.response_names(records[0].values if records else ())
            table = partial(_merge_all, names, records)
            return Results(
                [row for _, row in done],
                run.progress(),
                table,
                note=note,
                retry=self.retry(run.options),
                fields=self.schema_columns(),
            )
        by_position = {record.position: row for record, row in done}
        rows = [by_position.get(record.position) or self.unsent_row(record) for record in self.table.records()]
        return Results(
            rows,
            run.progress(),
            self.with_responses,
            note=note,
            retry=self.retry(run.options),
            fields=self.schema_columns(),
        )

    def with_responses(self, rows: Iterable[TableRow]) -> Any:
        """Return the table with the columns of the responses."""
        return self.table.with_responses(rows, self.row_prompt.columns)

    def retry(self, options: RunOptions) -> Retry:
        """Return how the failed rows of a run with these options can be sent again."""
        names = dict(zip(self.row_prompt.columns, self.response_names(self.table.columns), strict=True))
        return Retry(options.journal is not None, self.table.failed_rows, names[ERROR_COLUMN])

    def schema_columns(self) -> tuple[str, ...]:
        """Return the names of a schema's columns in the table, () without a schema."""
        if self.row_prompt.schema is None:
            return ()
        return self.response_names(self.table.columns)[: -len(RESPONSE_COLUMNS)]

    def unsent_row(self, record: Record) -> TableRow:
        """Return the row of a record that was not sent."""
        return self.row_prompt.make_row(record, None, None)

    def response_names(self, taken: Collection[str]) -> tuple[str, ...]:
        """Return the names of the response's columns in a table that has the columns `taken`."""
        return unique_names(taken, self.row_prompt.columns)

    def raise_early_end(self, run: Run, options: RunOptions, batch: Callable[[], Results]) -> None:
        """Raise what ended a run before its last row: the error itself if no row was done.

        Args:
            run: A run that has ended; nothing happens if it ended normally.
            options: Its options, for the name of the journal.
            batch: Returns the results so far.

        Raises:
            RowsError: Some rows were done; `batch` has them.
        """
        error = run.error
        if error is None:
            return
        progress = run.progress()
        if not progress.done or not isinstance(error, Exception):
            raise error
        of = f" of {progress.total:,}" if progress.total is not None else ""
        is_kept = options.journal is not None and getattr(error, "error_code", "") != "journal-lost"
        resume = f"; {options.journal} has them, and running again continues from there" if is_kept else ""
        reason = f"{type(error).__name__}: {getattr(error, 'cause', error)}"
        kept = f"The responses so far are in the error's `batch`{resume}."
        context = {"config": error.config, "deployment": error.deployment} if isinstance(error, AzmlError) else {}
        cause = f"The run ended after {progress.done:,}{of} rows: {reason}"
        raise RowsError(cause, remedy=getattr(error, "remedy", ""), kept=kept, batch=batch(), **context) from error

    def give_back(self, run: Run) -> None:
        """Put the rows that a run has read from an iterator and not handed out back into it.

        Args:
            run: A run that has ended.
        """
        if isinstance(self.table, StreamTable) and self.table.give_back is not None and run.left:
            self.table.give_back([run.left[position] for position in sorted(run.left)])
            run.left.clear()

    # ---- one row after another

    def stream(self, options: RunOptions, run: Run, on_progress: OnProgress | None = None) -> Iterator[dict[str, Any]]:
        """Send the rows of a lazy table and yield each with its response, in order.

        Args:
            options: The options of the run.
            run: What `start` returned.
            on_progress: Called with the counts about ten times a second.

        Yields:
            The row's columns and those of its response.

        Raises:
            RowsError: The run ended early; raised after the last row that is done.
        """
        names = self.response_names(self.table.columns)
        try:
            with run:
                for rows in take_rows(run, on_progress):
                    for record, row in rows:
                        run.left.pop(record.position, None)
                        yield merge(names, record, row)
            for record, row in run.take(0):
                run.left.pop(record.position, None)
                yield merge(names, record, row)
        finally:
            self.give_back(run)
        self.raise_early_end(run, options, lambda: self.collect(run, []))


def take_rows(run: Run, on_progress: OnProgress | None = None) -> Iterator[list[Done]]:
    """Yield the rows of a run in order, until it is over or ends early; report the progress in between."""
    reported = 0.0
    while not run.is_over and run.error is None:
        yield run.take(TICK)
        now = time.monotonic()
        if on_progress is not None and now - reported >= TICK:
            on_progress(run.progress())
            reported = now
    if on_progress is not None:
        on_progress(run.progress())


def merge(names: tuple[str, ...], record: Record, row: TableRow) -> dict[str, Any]:
    """Return a row's columns and those of its response in one dict."""
    return {**record.values, **dict(zip(names, row.cells(), strict=True))}


def _merge_all(names: tuple[str, ...], records: list[Record], rows: Iterable[TableRow]) -> list[dict[str, Any]]:
    return [merge(names, record, row) for record, row in zip(records, rows, strict=True)]

"""--each: one request for every row of a table, with a progress bar while they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import Interrupted, RowsError
from azml_magics.core.text import one_line
from azml_magics.rows.deferred import DeferredTable
from azml_magics.rows.dry_run import dry_run, first_rows
from azml_magics.rows.mapper import RowMapper
from azml_magics.rows.results import Results
from azml_magics.rows.sources import is_dask
from azml_magics.rows.spark import SparkRows, check_spark_options, is_spark
from azml_magics.rows.table_rows import TableRow

from . import cell_config, cell_messages, cell_output, publishing, rows_line
from .remedies import retry_line, with_notebook_remedies
from .rows_progress import RowsProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.core.config import LLMConfig
    from azml_magics.rows.journal_summary import JournalSummary
    from azml_magics.rows.run_options import RunOptions

    from .context import NotebookContext
    from .parsed_options import CellOptions


def run(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """Send one request for every row and return the table of the responses.

    A line says first how many rows are sent. After an error or an interrupt, the variable of -o and %azureml last have
    what had arrived.

    Args:
        context: The notebook.
        options: The line of the cell; `each` names the rows.
        body: The prompt, with {column} for a row's value.

    Returns:
        Results; a DataFrame of dask or Spark if the rows are one; the first requests with --dry-run; None with --quiet.

    Raises:
        UsageError: Options do not go together, or there are no rows.
        RowsError: The run was given up.
        Interrupted: The user interrupted the kernel.
    """
    rows_line.check_options(options)
    if not options.dry_run and is_spark(rows_line.find_rows(context, options)):
        return _map_spark(context, options, body)
    call = _prepare(context, options, body)
    if options.dry_run:
        return rows_line.show_dry_run(dry_run(call.preview, is_part=is_dask(call.rows)))
    if call.config.endpoint_url:
        cell_config.warn_of_misspelled_kwargs(call.config)
    try:
        results = call.send(context.shell, quiet=options.quiet)
    except (Interrupted, RowsError) as error:
        if isinstance(error.batch, Results):
            _store(context, options, error.batch)
        raise
    return _store(context, options, results)


def _map_spark(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """Return the DataFrame of Spark with the responses, which its executors get at the first action."""
    rows, dask_client = rows_line.find_rows(context, options), rows_line.find_dask_client(context, options)
    check_spark_options(dask_client=dask_client)
    target = rows_line.find_target(context, options)
    prompt, variables = rows_line.read_prompt_for(target, context, options, body)
    schema = cell_messages.load_schema(context, options)
    run_options = rows_line.read_run_options(context, options)
    selected = {"limit": options.limit, "sample": options.sample}
    spark_rows = SparkRows(target, prompt, rows, variables=variables, schema=schema, **selected)
    cell_config.warn_of_misspelled_kwargs(spark_rows.row_prompt.config)
    frame = spark_rows.map(run_options)
    if not options.quiet:
        notes = (spark_rows.note(run_options), *_outer_variables(spark_rows), *spark_rows.row_prompt.surprises)
        publishing.print_line(" ".join(notes))
    if options.output:
        context.store(options.output, frame)
    return None if options.quiet else frame


@dataclass(frozen=True)
class _RowsCall:
    """What a cell sends for its rows. `preview` maps all rows, or the first ones of a dask DataFrame."""

    config: LLMConfig
    rows: Any
    dask_client: Any
    run_options: RunOptions
    make_mapper: Callable[[Any], RowMapper]
    preview: RowMapper

    def send(self, shell: Any, *, quiet: bool) -> Any:
        """Send the requests and return Results, or a dask DataFrame for one."""

        def announce(summary: JournalSummary | None) -> None:
            if not quiet:
                is_frame = is_dask(self.rows)
                line = _announcement(self.preview, self.config, self.run_options, summary, is_dask=is_frame)
                notes = (*_outer_variables(self.preview), *self.preview.row_prompt.surprises)
                publishing.print_line(" ".join([line, *_collection(self.preview), *notes]))

        with RowsProgress(shell, quiet=quiet) as progress:
            if self.dask_client is None and not is_dask(self.rows):
                return self.preview.results(self.run_options, progress, announce)
            from azml_magics.rows import dask

            announce(None)  # each part of the rows has its own journal, which its worker reads
            return dask.map_on_cluster(self.rows, self.make_mapper, self.run_options, self.dask_client, progress)


def _prepare(context: NotebookContext, options: CellOptions, body: str) -> _RowsCall:
    target = rows_line.find_target(context, options)
    schema = cell_messages.load_schema(context, options)
    rows, dask_client = rows_line.find_rows(context, options), rows_line.find_dask_client(context, options)
    run_options = rows_line.read_run_options(context, options)
    prompt, variables = rows_line.read_prompt_for(target, context, options, body)
    make_mapper = partial(
        RowMapper,
        target,
        prompt,
        variables=variables,
        schema=schema,
        limit=options.limit,
        sample=options.sample,
        name=options.config or "",
    )
    preview = make_mapper(first_rows(rows))
    return _RowsCall(preview.row_prompt.config, rows, dask_client, run_options, make_mapper, preview)


def _store(context: NotebookContext, options: CellOptions, results: Any) -> Any:
    """Store the table in the variable of -o; return what the cell shows."""
    is_ours = isinstance(results, Results)
    if is_ours:
        with_notebook_remedies(results)
        if results.retry is not None:
            results.retry_line = retry_line(results.retry, options.output)
    if options.output:
        context.store(options.output, results.to_table() if is_ours else results)
    if is_ours:
        results.show_reasoning = cell_output.reasoning_mode(context, options)
        context.session.record_batch(results)
        for row in results:
            if isinstance(row, TableRow) and not row.reused:
                context.session.usage.add(row.config, row.response, row.error)
    return None if options.quiet else results


# ---- what is said and shown ------------------------------------------------------------------------------------------


def _announcement(
    mapper: RowMapper, config: LLMConfig, run_options: RunOptions, summary: JournalSummary | None, *, is_dask: bool
) -> str:
    """One line: how many rows are sent to which config, and how many the journal has."""
    length = None if is_dask else mapper.table.length
    rows = mapper.count("row", is_part=is_dask) or "the rows one by one"
    to = f" to {config.name}" if config.name else ""
    pace = f"up to {run_options.concurrency} at a time"
    journal = f"the journal {run_options.journal}"
    if summary is None or summary.found == 0:
        return f"Sending {rows}{to}, {pace}{f', with {journal}' if run_options.journal else ''}."
    if summary.found is None:
        return f"Sending what {journal} lacks of {rows}{to}, {pace}: it has {summary.entries:,} responses and errors."
    if summary.missing:
        return f"Sending {summary.missing:,} of {rows}{to}, {pace}: {journal} has {summary.found:,}."
    every = "the row" if length == 1 else f"all {rows}"
    return f"Sending nothing{to}: {journal} has {every if summary.found == length else f'{summary.found:,} of {rows}'}."


def _collection(mapper: RowMapper) -> list[str]:
    """A sentence for a frame whose rows are elsewhere: all of them come into this process."""
    table = mapper.table
    if not isinstance(table, DeferredTable) or table.is_collected:
        return []
    return [f"The {table.name} is collected first."]


def _outer_variables(mapper: RowMapper | SparkRows) -> list[str]:
    """A sentence for every variable that is the notebook's, as a misspelled column would be."""
    variables = mapper.row_prompt.outer_variables.items()
    return [f"{{{name}}} is the notebook's {one_line(repr(value), 40)} in every row." for name, value in variables]

"""--each: one request for every row of a table, with a bar that moves while they go and leaves a table behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, Interrupted, PromptError, RowsError, UsageError
from azml_magics.core.prompt import template
from azml_magics.display.live import LiveDisplay, Throttle
from azml_magics.display.outputs import TextOutput
from azml_magics.rows.mapper import Job, RunOptions
from azml_magics.rows.progress import Bar
from azml_magics.rows.results import Results
from azml_magics.rows.runner import DEFAULT_CONCURRENCY, Limits
from azml_magics.rows.sources import is_dask

from . import cell_config, cell_messages, cell_output, publishing, runnables
from .context import Settings

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig
    from azml_magics.rows.mapper import Kept
    from azml_magics.rows.progress import Progress

    from .context import NotebookContext
    from .parsed_options import CellOptions

_FRAME = 0.1  # seconds between two frames of the bar
_SHOWN = 3  # requests of a dry run


def run(context: NotebookContext, options: CellOptions, body: str) -> Any:
    """The Results of all rows; the rows' number is said before they go. A dask DataFrame gives another one.

    An error or an interrupt leaves what came in the variable of -o, and in %azureml last.
    """
    _check(options)
    if runnables.is_runnable(cell_config.referenced_object(context, options)):
        raise UsageError(
            f"--each takes a config, and {options.config} is a LangChain object", remedy="Use its batch()."
        )
    config = cell_config.resolve_config(context, options)
    schema = cell_messages.read_schema(context, options)
    rows, client = _rows(context, options), _client(context, options)
    wishes = RunOptions(_limits(context, options), options.journal, options.retry_failed)

    def job_of(rows: Any) -> Job:
        prompt, variables = _prompt(context, options, body)
        return Job(config, prompt, rows, variables=variables, schema=schema, limit=options.limit, sample=options.sample)

    on_cluster = client is not None or is_dask(rows)
    job = job_of(rows.head(_SHOWN, npartitions=-1) if is_dask(rows) else rows)
    if options.dry_run:
        return _dry_run(job, is_part=is_dask(rows))
    cell_config.warn_of_misspelled_kwargs(config)

    def announce(kept: Kept | None) -> None:
        publishing.print_line(_announced(job, config, wishes, kept, is_dask=is_dask(rows)))

    said = None if options.quiet else announce
    try:
        with Moving(context.shell, quiet=options.quiet) as moving:
            if on_cluster:
                from azml_magics.rows import dask

                if said is not None:
                    said(None)  # each part of the rows has a journal of its own, which its worker reads
                results = dask.asked(rows, job_of, wishes, client, moving)
            else:
                results = job.results(wishes, moving, said)
    except (Interrupted, RowsError) as ended:
        if isinstance(ended.batch, Results):
            _keep(context, options, ended.batch)
        raise
    return _keep(context, options, results)


def _keep(context: NotebookContext, options: CellOptions, results: Any) -> Any:
    """What the cell shows; the table goes into the variable of -o."""
    is_ours = isinstance(results, Results)
    if options.output:
        context.store(options.output, results.to_table() if is_ours else results)
    if is_ours:
        context.session.keep_batch(results)
    return None if options.quiet else results


# ---- what is asked ---------------------------------------------------------------------------------------------


def _check(options: CellOptions) -> None:
    """UsageError for options that do not go with rows."""
    others = {
        "--compare": options.compare,
        "--sweep": options.sweep,
        "-n": options.repeat is not None,
        "-t": options.template,
        "-i": options.image,
        "-F": options.format,
    }
    for name in (name for name, given in others.items() if given):
        raise UsageError(f"--each and {name} do not go together", remedy=f"Leave out {name}.")


def _rows(context: NotebookContext, options: CellOptions) -> Any:
    """The variable's value, or the path of a file."""
    given = options.each or ""
    if given.startswith("$"):
        return context.variable(given)
    if given in context.variables and not Path(given).suffix:
        raise UsageError(f"--each takes $NAME or a file, not {given!r}", remedy=f"Write --each ${given}.")
    return given


def _client(context: NotebookContext, options: CellOptions) -> Any:
    if options.client is None:
        return None
    if not options.client.startswith("$"):
        raise UsageError(f"--client takes a variable, not {options.client!r}", remedy=f"Write ${options.client}.")
    client = context.variable(options.client)
    if not callable(getattr(client, "submit", None)):
        raise UsageError(f"{options.client} is {type(client).__name__}, which is no dask client")
    return client


def _limits(context: NotebookContext, options: CellOptions) -> Limits:
    usual = context.settings.concurrency
    usual = DEFAULT_CONCURRENCY if usual == Settings.concurrency else usual
    concurrency = options.concurrency if options.concurrency is not None else usual
    return Limits(concurrency, options.rpm, options.tpm, options.max_tokens_total)


def _prompt(context: NotebookContext, options: CellOptions, body: str) -> tuple[str, dict[str, Any]]:
    """The body, and what stands for the names in it that are no columns."""
    text = cell_messages.prompt_text(body)
    if not text:
        raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
    values = cell_messages.prompt_values(context, options)
    return text, {name: values[name] for name in template.variables(text) if name in values}


def _announced(job: Job, config: LLMConfig, wishes: RunOptions, kept: Kept | None, *, is_dask: bool) -> str:
    """One line: how many rows go where, and how many the journal has."""
    length = None if is_dask else job.table.length
    rows = _counted(job, length, "row") or "the rows one by one"
    to = f" to {config.name}" if config.name else ""
    pace = f"up to {wishes.limits.concurrency} at a time"
    journal = f"the journal {wishes.journal}"
    if kept is None or kept.rows == 0:
        return f"Sending {rows}{to}, {pace}{f', with {journal}' if wishes.journal else ''}."
    if kept.rows is None:
        return f"Sending what {journal} lacks of {rows}{to}, {pace}: it has {kept.lines:,} answers and errors."
    if kept.missing:
        return f"Sending {kept.missing:,} of {rows}{to}, {pace}: {journal} has {kept.rows:,}."
    every = "the row" if length == 1 else f"all {rows}"
    return f"Sending nothing{to}: {journal} has {every if kept.rows == length else f'{kept.rows:,} of {rows}'}."


def _counted(job: Job, length: int | None, thing: str) -> str:
    """So many of the things, or at most so many; "" where only reading tells."""
    most = length if length is not None else job.limit or job.sample
    if most is None:
        return ""
    return f"{'at most ' if length is None else ''}{most:,} {thing}{'' if most == 1 else 's'}"


def _dry_run(job: Job, *, is_part: bool) -> TextOutput:
    """The first three requests and how many there are; nothing is sent."""
    shown = []
    for record, _ in zip(job.table.records(), range(_SHOWN), strict=False):
        try:
            shown.append(
                cell_output.show_request(*job.question.request(job.question.messages(record)), stream=False).text
            )
        except AzmlError as error:  # noqa: PERF203 - three at most
            shown.append(f"{type(error).__name__}: {error}")
    count = _counted(job, None if is_part else job.table.length, "request") or "a request for every row"
    return TextOutput("\n\n".join([f"Would send {count}. The first:", *shown]))


# ---- while they go ---------------------------------------------------------------------------------------------


class Moving:
    """The bar while the rows go; what stays is the cell's result."""

    def __init__(self, shell: Any, *, quiet: bool) -> None:
        is_terminal = publishing.is_terminal(shell)
        self._bar = Bar() if is_terminal and not quiet else None
        self._throttle = Throttle(_FRAME)
        self._live = None if is_terminal or quiet else LiveDisplay(publishing.CellOutput(), min_interval=_FRAME)

    def __call__(self, progress: Progress) -> None:
        """Draw the progress, at most ten times a second."""
        if self._bar is not None and self._throttle.is_due():
            self._bar(progress)
        if self._live is not None:
            self._live.update(lambda: {"text/plain": f"{progress.bar()} {progress}".strip()})

    def __enter__(self) -> Moving:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.clear()
        if self._live is not None:
            self._live.clear()

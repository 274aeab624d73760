"""map_rows: one prompt over a table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ..core.client import Client
from ..core.errors import UsageError
from ..core.prompt.schema import Schema
from .argument_types import AnySeries, DataFrame, Frame_co, LazyFrame, SchemaSource, SyncOptions, Target
from .dry_run import DryRun, first_rows
from .dry_run import dry_run as show_requests
from .mapper import RowMapper
from .progress import Bar, Progress
from .prompts import Prompt
from .results import Results
from .run_options import DEFAULT_CONCURRENCY, RunOptions
from .sources import is_dask
from .spark import SparkRows, check_spark_options, is_spark
from .surprises import warn_of_surprises

if TYPE_CHECKING:
    from typing_extensions import Unpack


@overload
def map_rows(
    config: Target, prompt: Prompt | None, rows: Any, *, dry_run: Literal[True], **options: Unpack[SyncOptions]
) -> DryRun: ...
@overload
def map_rows(
    config: Target,
    prompt: Prompt | None,
    rows: list[Any] | tuple[Any, ...],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[SyncOptions],
) -> list[dict[str, Any]]: ...
@overload
def map_rows(
    config: Target,
    prompt: Prompt | None,
    rows: str | Path | Iterator[Any],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[SyncOptions],
) -> Iterator[dict[str, Any]]: ...
@overload
def map_rows(
    config: Target,
    prompt: Prompt | None,
    rows: AnySeries[Frame_co] | LazyFrame[Frame_co],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[SyncOptions],
) -> Frame_co: ...
@overload
def map_rows(
    config: Target,
    prompt: Prompt | None,
    rows: DataFrame,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[SyncOptions],
) -> DataFrame: ...
def map_rows(
    config: Target,
    prompt: Prompt | None,
    rows: Any,
    *,
    variables: Mapping[str, Any] | None = None,
    schema: SchemaSource | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    journal: str | Path | None = None,
    retry_failed: bool = False,
    limit: int | None = None,
    sample: int | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    max_tokens_total: int | None = None,
    client: Client | None = None,
    dask_client: Any = None,
    progress: bool | Callable[[Progress], Any] = False,
    dry_run: bool = False,
) -> Any:
    """Send one prompt for every row of a table and return the table with the responses, in the rows' order.

    Args:
        config: The endpoint and its settings; or a LangChain Runnable, such as a chain, a model or an agent.
        prompt: A text or messages whose `{column}`s take the row's values, or a function of a dict of them. None for a
            Runnable that takes the row itself, as a dict; a function returns a Runnable's input.
        rows: A DataFrame (pandas, polars, dask, Spark), a Series, a list of dicts or texts, an iterator, or the path of
            a .csv, .tsv, .jsonl, .parquet or .arrow file.
        variables: Values of names in the prompt that are not columns.
        schema: A pydantic model class, or a JSON schema as a dict or text. Responses are requested as JSON and
            validated. A Runnable is not told of it: its outputs are validated.
        concurrency: The most requests at a time. The endpoint's responses decide how many are sent.
        journal: A file that keeps every response; for dask and Spark a folder. The same call again sends only the rows
            that it lacks.
        retry_failed: Send the rows again that have an error in the journal.
        limit: Only the first N rows.
        sample: Only N random rows, the same ones every time.
        rpm: The most requests per minute.
        tpm: The most tokens per minute.
        max_tokens_total: Stop starting rows after N tokens.
        client: A Client to send with; by default the one of `invoke`. A request without a `total_timeout` may take 900
            seconds in all, or the config's `timeout` if that is longer.
        dask_client: A dask.distributed.Client, whose workers send the rows.
        progress: True writes a bar to standard error; a function is called with a Progress about ten times a second.
        dry_run: Send nothing and return the first three requests and their number as a `DryRun`. No row of an iterator
            is lost, and no key is looked up.

    Returns:
        A DataFrame of Spark for one, whose rows the executors send at its first action. For others a new frame with the
        same index for a frame, a list of dicts for a list, and for an iterator or a path an
        iterator of dicts, which sends rows while it is read and holds about a thousand of them. The added columns are
        text, error, finish_reason, prompt_tokens, completion_tokens and latency (seconds); a schema adds one for each
        of its fields before them, or `parsed` if it has none. A name that the table has already gets the prefix
        `answer_`. A row that fails has its error in its row, also if its response does not match the schema.

    Raises:
        RowsError: The endpoint stopped responding, or every row would fail; `batch` has the results so far.
        Interrupted: The kernel was interrupted; `batch` has the results so far.
        JournalError: The journal cannot be used, or belongs to another run.
        UsageError: The rows cannot be read, an option is wrong, or the prompt uses no column.
        UndefinedVariableError: A variable of the prompt is not a column and has no value.
    """
    options = RunOptions(concurrency, rpm, tpm, max_tokens_total, journal, retry_failed)
    checked = Schema.from_source(schema) if schema is not None else None
    make = partial(
        RowMapper, config, prompt, variables=variables, schema=checked, limit=limit, sample=sample, client=client
    )
    if dry_run:
        return show_requests(make(first_rows(rows)), is_part=is_dask(rows))
    if is_spark(rows):
        check_spark_options(client=client, progress=progress, dask_client=dask_client)
        spark_rows = SparkRows(config, prompt, rows, variables=variables, schema=checked, limit=limit, sample=sample)
        warn_of_surprises(spark_rows.row_prompt, spark_rows.note(options))
        return spark_rows.map(options)
    on_progress = Bar() if progress is True else progress or None
    with on_progress if isinstance(on_progress, Bar) else contextlib.nullcontext():
        if dask_client is not None or is_dask(rows):
            if client is not None:
                raise UsageError("Workers cannot use a client of this process", remedy="Leave out client.")
            from . import dask

            warn_of_surprises(make(first_rows(rows)).row_prompt)
            results = dask.map_on_cluster(rows, make, options, dask_client, on_progress)
            return results.to_table() if isinstance(results, Results) else results
        mapper = make(rows)
        warn_of_surprises(mapper.row_prompt)
        if not mapper.table.is_lazy:
            return mapper.results(options, on_progress).to_table()
    stream = mapper.stream(options, mapper.start(options), on_progress)
    return _draw(on_progress, stream) if isinstance(on_progress, Bar) else stream


def _draw(bar: Bar, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a stream; the bar writes its last line after them."""
    with bar:
        yield from rows

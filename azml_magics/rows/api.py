"""map_rows and amap_rows: one prompt over a table."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict, TypeVar, overload

from ..core.client import Client
from ..core.config import LLMConfig
from ..core.errors import UsageError
from ..core.prompt.schema import Schema
from .dry_run import DryRun, first_rows
from .dry_run import dry_run as show_requests
from .mapper import TICK, RowMapper, merge
from .progress import Bar, Progress
from .prompts import Prompt
from .results import Results
from .run_options import DEFAULT_CONCURRENCY, RunOptions
from .sources import is_dask

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .mapper import OnProgress
    from .progress import Done
    from .runner import Run

Frame_co = TypeVar("Frame_co", covariant=True)
DataFrame = TypeVar("DataFrame", bound="_DataFrame")

SchemaSource = type[Any] | dict[str, Any] | str
"""A pydantic model class, or a JSON schema as a dict or text."""


class _DataFrame(Protocol):
    """A DataFrame of pandas, polars or dask."""

    @property
    def columns(self) -> Any: ...


class _Series(Protocol[Frame_co]):
    """A Series of pandas or polars."""

    def to_frame(self) -> Frame_co: ...


class _Lazy(Protocol[Frame_co]):
    """A LazyFrame of polars, which is collected."""

    def collect(self) -> Frame_co: ...


class _CommonOptions(TypedDict, total=False):
    """The options that both functions take."""

    variables: Mapping[str, Any] | None
    schema: SchemaSource | None
    concurrency: int
    journal: str | Path | None
    retry_failed: bool
    limit: int | None
    sample: int | None
    rpm: float | None
    tpm: float | None
    max_tokens_total: int | None
    client: Client | None


class _SyncOptions(_CommonOptions, total=False):
    """The options of map_rows."""

    dask_client: Any
    progress: bool | Callable[[Progress], Any]


class _AsyncOptions(_CommonOptions, total=False):
    """The options of amap_rows."""

    progress: Callable[[Progress], Any] | None


@overload
def map_rows(
    config: LLMConfig, prompt: Prompt, rows: Any, *, dry_run: Literal[True], **options: Unpack[_SyncOptions]
) -> DryRun: ...
@overload
def map_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: list[Any] | tuple[Any, ...],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_SyncOptions],
) -> list[dict[str, Any]]: ...
@overload
def map_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: str | Path | Iterator[Any],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_SyncOptions],
) -> Iterator[dict[str, Any]]: ...
@overload
def map_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: _Series[Frame_co] | _Lazy[Frame_co],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_SyncOptions],
) -> Frame_co: ...
@overload
def map_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: DataFrame,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_SyncOptions],
) -> DataFrame: ...
def map_rows(
    config: LLMConfig,
    prompt: Prompt,
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
        config: The endpoint and its settings.
        prompt: A text or messages whose `{column}`s take the row's values, or a function of a dict of them.
        rows: A DataFrame (pandas, polars, dask), a Series, a list of dicts or texts, an iterator, or the path of a
            .csv, .tsv, .jsonl, .parquet or .arrow file.
        variables: Values of names in the prompt that are not columns.
        schema: A pydantic model class, or a JSON schema as a dict or text. Responses are requested as JSON and
            validated.
        concurrency: The most requests at a time. The endpoint's responses decide how many are sent.
        journal: A file that keeps every response. The same call again sends only the rows that it lacks.
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
        A new frame with the same index for a frame, a list of dicts for a list, and for an iterator or a path an
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
    on_progress = Bar() if progress is True else progress or None
    with on_progress if isinstance(on_progress, Bar) else contextlib.nullcontext():
        if dask_client is not None or is_dask(rows):
            if client is not None:
                raise UsageError("Workers cannot use a client of this process", remedy="Leave out client.")
            from . import dask

            results = dask.map_on_cluster(rows, make, options, dask_client, on_progress)
            return results.to_table() if isinstance(results, Results) else results
        mapper = make(rows)
        if not mapper.table.is_lazy:
            return mapper.results(options, on_progress).to_table()
    stream = mapper.stream(options, mapper.start(options), on_progress)
    return _draw(on_progress, stream) if isinstance(on_progress, Bar) else stream


def _draw(bar: Bar, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a stream; the bar writes its last line after them."""
    with bar:
        yield from rows


@overload
async def amap_rows(
    config: LLMConfig, prompt: Prompt, rows: Any, *, dry_run: Literal[True], **options: Unpack[_AsyncOptions]
) -> DryRun: ...
@overload
async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: list[Any] | tuple[Any, ...],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_AsyncOptions],
) -> list[dict[str, Any]]: ...
@overload
async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: str | Path | Iterator[Any],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_AsyncOptions],
) -> AsyncIterator[dict[str, Any]]: ...
@overload
async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: _Series[Frame_co] | _Lazy[Frame_co],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_AsyncOptions],
) -> Frame_co: ...
@overload
async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: DataFrame,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[_AsyncOptions],
) -> DataFrame: ...
async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
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
    progress: Callable[[Progress], Any] | None = None,
    dry_run: bool = False,
) -> Any:
    """Do what `map_rows` does without blocking the running event loop. Requests are sent in threads, too.

    Args and errors are those of `map_rows`, without dask.

    Returns:
        What `map_rows` returns; for an iterator or a path an async iterator.
    """
    options = RunOptions(concurrency, rpm, tpm, max_tokens_total, journal, retry_failed)
    checked = Schema.from_source(schema) if schema is not None else None
    mapper = RowMapper(
        config, prompt, rows, variables=variables, schema=checked, limit=limit, sample=sample, client=client
    )
    if dry_run:
        return show_requests(mapper)
    run = mapper.start(options)
    if mapper.table.is_lazy:
        return _stream(mapper, options, run, progress)
    done: list[Done] = []
    async for some in _take_rows(run, progress):
        done += some

    def collect(note: str = "") -> Results:
        return mapper.collect(run, done, note=note)

    mapper.raise_early_end(run, options, lambda: collect("Stopped early"))
    return collect(run.budget.note).to_table()


async def _take_rows(run: Run, on_progress: OnProgress | None) -> AsyncGenerator[list[Done], None]:
    """Yield the rows of a run in order, to the last; the run ends when this is closed."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(over.set)

    run.on_over = wake
    run.__enter__()
    try:
        while not run.is_over and run.error is None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(over.wait(), TICK)
            yield run.take(0)
            if on_progress is not None:
                on_progress(run.progress())
    finally:
        await asyncio.shield(asyncio.to_thread(run.__exit__, None, None, None))
    yield run.take(0)


async def _stream(
    mapper: RowMapper, options: RunOptions, run: Run, on_progress: OnProgress | None
) -> AsyncIterator[dict[str, Any]]:
    names = mapper.response_names(mapper.table.columns)
    rows_of_run = _take_rows(run, on_progress)
    try:
        async for rows in rows_of_run:
            for record, row in rows:
                run.left.pop(record.position, None)
                yield merge(names, record, row)
    finally:
        await rows_of_run.aclose()
        mapper.give_back(run)
    mapper.raise_early_end(run, options, lambda: mapper.collect(run, []))

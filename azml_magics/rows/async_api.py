"""amap_rows: map_rows on a running event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ..core.client import Client
from ..core.prompt.schema import Schema
from .argument_types import AnySeries, AsyncOptions, DataFrame, Frame_co, LazyFrame, SchemaSource, Target
from .dry_run import DryRun
from .dry_run import dry_run as show_requests
from .mapper import TICK, RowMapper, merge
from .progress import Progress
from .prompts import Prompt
from .results import Results
from .run_options import DEFAULT_CONCURRENCY, RunOptions
from .spark import SparkRows, check_spark_options, is_spark
from .surprises import warn_of_surprises

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .mapper import OnProgress
    from .progress import Done
    from .runner import Run


@overload
async def amap_rows(
    config: Target, prompt: Prompt | None, rows: Any, *, dry_run: Literal[True], **options: Unpack[AsyncOptions]
) -> DryRun: ...
@overload
async def amap_rows(
    config: Target,
    prompt: Prompt | None,
    rows: list[Any] | tuple[Any, ...],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[AsyncOptions],
) -> list[dict[str, Any]]: ...
@overload
async def amap_rows(
    config: Target,
    prompt: Prompt | None,
    rows: str | Path | Iterator[Any],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[AsyncOptions],
) -> AsyncIterator[dict[str, Any]]: ...
@overload
async def amap_rows(
    config: Target,
    prompt: Prompt | None,
    rows: AnySeries[Frame_co] | LazyFrame[Frame_co],
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[AsyncOptions],
) -> Frame_co: ...
@overload
async def amap_rows(
    config: Target,
    prompt: Prompt | None,
    rows: DataFrame,
    *,
    dry_run: Literal[False] = False,
    **options: Unpack[AsyncOptions],
) -> DataFrame: ...
async def amap_rows(
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
    if is_spark(rows) and not dry_run:
        check_spark_options(client=client, progress=progress)
        spark_rows = SparkRows(config, prompt, rows, variables=variables, schema=checked, limit=limit, sample=sample)
        warn_of_surprises(spark_rows.row_prompt, spark_rows.note(options))
        return spark_rows.map(options)
    mapper = RowMapper(
        config, prompt, rows, variables=variables, schema=checked, limit=limit, sample=sample, client=client
    )
    if dry_run:
        return show_requests(mapper)
    warn_of_surprises(mapper.row_prompt)
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

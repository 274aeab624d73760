"""map_rows and amap_rows: one prompt over a table."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.prompt.schema import Schema
from .mapper import TICK, Job, RunOptions, flat, spent_note
from .progress import Bar
from .results import Results
from .runner import DEFAULT_CONCURRENCY, Limits
from .sources import is_dask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from ..core.config import LLMConfig
    from .mapper import OnProgress
    from .progress import Progress
    from .prompts import Prompt
    from .runner import Run
    from .tally import Done


def map_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: Any,
    *,
    variables: Mapping[str, Any] | None = None,
    schema: Any = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    journal: str | Path | None = None,
    retry_failed: bool = False,
    limit: int | None = None,
    sample: int | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    max_tokens_total: int | None = None,
    client: Any = None,
    progress: bool | Callable[[Progress], Any] = False,
) -> Any:
    """The table with an answer for every row, in the rows' order.

    prompt: a text or messages whose `{column}`s take the row's values, or a function of a dict of them.
    rows: a DataFrame (pandas, polars, dask), a list of dicts or texts, an iterator, or the path of a .csv or .jsonl
        file. A frame gives a frame with its index, a list gives a list of dicts, an iterator and a path give an
        iterator of dicts that asks as it is read and holds about a thousand rows.
    variables: what names in the prompt stand for that are no columns.
    schema: a pydantic model class, or a JSON schema (dict or text): answers are asked for as JSON of it, and checked.
    concurrency: the most requests at a time; the endpoint's answers say how many of them are under way.
    journal: a file that keeps every answer before it counts; the same call again asks only what it lacks.
    retry_failed: ask again the rows that have an error in the journal.
    limit, sample: only the first so many rows; only so many, drawn from all of them, the same every time.
    rpm, tpm, max_tokens_total: requests and tokens a minute; tokens after which no further row is begun.
    client: a dask.distributed.Client: the rows are asked on its workers.
    progress: True writes a bar to standard error; a function is called with a Progress now and then.

    The columns added are text, error, finish_reason, prompt_tokens, completion_tokens and latency (seconds); with a
    schema, one for each of its fields goes before them, or `parsed` where it names none. A name that the table has
    already gets `answer_` before it. A row that fails has its error there, also one whose answer does not keep to the
    schema. Raises RowsError where the endpoint is gone, Interrupted for a kernel interrupt, both with what came in
    `batch`; JournalError; UsageError and UndefinedVariableError where the prompt and the table do not fit.
    """
    limits = Limits(concurrency, rpm, tpm, max_tokens_total)
    wishes = RunOptions(limits, journal, retry_failed)
    wanted = Schema.of(schema) if schema is not None else None
    shown = Bar() if progress is True else progress or None
    with shown if isinstance(shown, Bar) else contextlib.nullcontext():
        made = partial(Job, config, prompt, variables=variables, schema=wanted, limit=limit, sample=sample)
        if client is not None or is_dask(rows):
            from . import dask

            asked = dask.asked(rows, made, wishes, client, shown)
            return asked.to_table() if isinstance(asked, Results) else asked
        job = made(rows)
        if not job.table.is_lazy:
            return job.results(wishes, shown).to_table()
    return job.stream(wishes, job.run(wishes), shown)


async def amap_rows(
    config: LLMConfig,
    prompt: Prompt,
    rows: Any,
    *,
    variables: Mapping[str, Any] | None = None,
    schema: Any = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    journal: str | Path | None = None,
    retry_failed: bool = False,
    limit: int | None = None,
    sample: int | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    max_tokens_total: int | None = None,
    progress: Callable[[Progress], Any] | None = None,
) -> Any:
    """What `map_rows` gives, without holding up the running event loop; an iterator and a path give an async iterator.

    The requests are sent in threads, as there.
    """
    wishes = RunOptions(Limits(concurrency, rpm, tpm, max_tokens_total), journal, retry_failed)
    wanted = Schema.of(schema) if schema is not None else None
    job = Job(config, prompt, rows, variables=variables, schema=wanted, limit=limit, sample=sample)
    run = job.run(wishes)
    if job.table.is_lazy:
        return _astream(job, wishes, run, progress)
    done: list[Done] = []
    async for some in _awatched(run, progress):
        done += some

    def gathered(note: str = "") -> Results:
        return job.gathered(run, done, note=note)

    job.raise_early_end(run, wishes, lambda: gathered("Stopped early"))
    return gathered(spent_note(run, wishes)).to_table()


async def _awatched(run: Run, on_progress: OnProgress | None) -> AsyncIterator[list[Done]]:
    """The rows as they are due, to the last; the run ends with the loop over it."""
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
            yield run.due(0)
            if on_progress is not None:
                on_progress(run.progress())
    finally:
        await asyncio.shield(asyncio.to_thread(run.__exit__, None, None, None))
    yield run.due(0)


async def _astream(
    job: Job, wishes: RunOptions, run: Run, on_progress: OnProgress | None
) -> AsyncIterator[dict[str, Any]]:
    names = job.names(job.table.columns)
    async for some in _awatched(run, on_progress):
        for record, row in some:
            yield flat(names, record, row)
    job.raise_early_end(run, wishes, lambda: job.gathered(run, []))

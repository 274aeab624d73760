"""Sends rows from the workers of a dask cluster, one run at a time on each.

A worker gets a part of the rows, the prompt and the config, whose key is a reference that the worker resolves itself.
With a journal, which is a folder that every worker can reach, each part has a file of its own there. If a worker is
lost, the scheduler gives its part to another one, which sends only what that file lacks.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ..core.errors import (
    AzmlError,
    Interrupted,
    MissingPackageError,
    RowsError,
    UsageError,
)
from ..core.install_hint import install_command
from ..core.paths import path_of
from ..core.tracing import trace_block
from ..core.tracing.opentelemetry_api import current_carrier
from .dask_worker import Part, PartCounts, add_responses, count_rows, make_row, send_part, stop_event
from .folder_journal import make_folder
from .progress import Progress, Speed
from .results import Results
from .selection import select_partitions
from .sources import is_dask, table_of
from .token_budget import TokenBudget
from .travel import check_travels, for_others

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .mapper import OnProgress, RowMapper
    from .run_options import RunOptions
    from .table_rows import TableRow

PART_ROWS = 128  # the same on every cluster, so that a journal fits the next run
_POLL = 0.2  # seconds between two looks at the parts


def map_on_cluster(
    rows: Any,
    make_mapper: Callable[[Any], RowMapper],
    options: RunOptions,
    dask_client: Any,
    on_progress: OnProgress | None,
) -> Any:
    """Send the rows from the workers of a cluster.

    Args:
        rows: A list, a frame, or a dask DataFrame.
        make_mapper: Returns the RowMapper of some rows.
        options: The limits of the run, and its journal.
        dask_client: A distributed.Client; None for the one in use.
        on_progress: Called with the counts of the parts that are done.

    Returns:
        The Results of a list or a frame; for a dask DataFrame another one, whose partitions stay on the workers.

    Raises:
        ConfigError: The key cannot travel to the workers.
        UsageError: There are no workers, or the rows cannot be split.
        JournalError: The journal cannot be a folder.
        RowsError: The run ended early; `batch` has the results of a list or a frame.
        Interrupted: The user stopped the run; likewise.
    """
    dask_client = dask_client if dask_client is not None else _client_in_use()
    workers = len(dask_client.scheduler_info()["workers"])
    if not workers:
        raise UsageError("The dask cluster has no workers", remedy="Scale it out, then run again.")
    if options.journal is not None:
        make_folder(path_of(options.journal), "worker")
    run = _ClusterRun(dask_client, options.share_among(workers), on_progress)
    is_frame = is_dask(rows)
    mapper = make_mapper(rows.head(1, npartitions=-1, compute=True) if is_frame else rows)
    check_travels(mapper.row_prompt, "workers")
    with trace_block("map_rows", {"config": mapper.row_prompt.config.name, "workers": workers}):
        return run.map_frame(mapper, rows) if is_frame else run.map_table(mapper)


def _client_in_use() -> Any:
    try:
        from distributed import get_client  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError as error:
        raise MissingPackageError("A cluster needs dask", remedy=f"Run {install_command('dask')}.") from error
    try:
        return get_client()
    except ValueError:
        raise UsageError(
            "No dask client is in use",
            remedy="Make one, dask.distributed.Client(), and pass it as dask_client.",
            error_code="no-dask-client",
        ) from None


class _ClusterRun:
    """The parts of a run on a cluster."""

    def __init__(self, dask_client: Any, options: RunOptions, on_progress: OnProgress | None) -> None:
        self._dask_client = dask_client
        self._options = options
        self._on_progress = on_progress
        self._name = f"azml-rows-{uuid.uuid4().hex[:12]}"
        self._stop = stop_event(self._name, dask_client)
        self._began = time.monotonic()
        self._speed = Speed()
        self._parts: list[Part] = []
        self._futures: list[Any] = []
        self._done = self._failed = self._reused = self._tokens = self._parts_done = 0
        self._error: AzmlError | None = None
        self._budget = TokenBudget(options.max_tokens_total)

    def map_table(self, mapper: RowMapper) -> Results:
        """Return the results of a list or a frame."""
        table = mapper.table
        if table.is_lazy or table.length is None:
            raise UsageError("An iterator or a file cannot be sent to a cluster", remedy="Pass a DataFrame or a list.")
        bounds = range(0, table.length, PART_ROWS)
        records = list(table.records())
        self._submit(mapper, [records[start : start + PART_ROWS] for start in bounds])
        finished: dict[int, Any] = {}

        def count(number: int, future: Any) -> PartCounts:
            finished[number] = part = future.result()
            return count_rows(part)

        def results(note: str = "") -> Results:
            rows: list[TableRow] = []
            for start in bounds:
                part = finished.get(start // PART_ROWS)
                for offset, record in enumerate(records[start : start + PART_ROWS]):
                    rows.append(
                        make_row(mapper.row_prompt, record, part.rows[offset]) if part else mapper.unsent_row(record)
                    )
            progress = self._progress(table.length, is_over=True)
            retry = mapper.retry(self._options)
            return Results(
                rows, progress, mapper.with_responses, note=note, retry=retry, fields=mapper.schema_columns()
            )

        self._wait(table.length, count, results)
        return results(self._budget.note)

    def map_frame(self, mapper: RowMapper, frame: Any) -> Any:
        """Return the dask DataFrame with the responses; its partitions stay on the workers."""
        import dask.dataframe as dd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

        partitions, total = select_partitions(self._dask_client, frame.to_delayed(), mapper.limit, mapper.sample)
        self._submit(mapper, partitions)

        def count(_number: int, future: Any) -> PartCounts:
            counts: PartCounts = self._dask_client.submit(count_rows, future, pure=False).result()
            return counts

        self._wait(total, count, lambda _note: None)
        frames = [
            self._dask_client.submit(add_responses, rows, result, part, pure=False)
            for rows, result, part in zip(partitions, self._futures, self._parts, strict=True)
        ]
        empty = table_of(frame._meta)  # noqa: SLF001 - dask's documentation names it
        meta = empty.with_responses([], mapper.row_prompt.columns)
        divisions = frame.divisions[: len(frames) + 1] if frame.known_divisions else None
        return dd.from_delayed(frames, meta=meta, divisions=divisions)

    def _submit(self, mapper: RowMapper, parts: Sequence[Any]) -> None:
        trace = current_carrier()
        for number, rows in enumerate(parts):
            part = Part(self._name, number, for_others(mapper.row_prompt), self._options, trace)
            self._parts.append(part)
            key = f"{self._name}-{number}"
            self._futures.append(self._dask_client.submit(send_part, rows, part, key=key, pure=False))

    # ---- waiting

    def _wait(self, total: int | None, count: Callable[[int, Any], PartCounts], results: Callable[[str], Any]) -> None:
        """Wait for every part. Raises Interrupted or RowsError if the run ends early, with the results in `batch`."""
        waiting = dict(enumerate(self._futures))
        try:
            while waiting:
                for number in [number for number, future in waiting.items() if future.done()]:
                    self._add(count(number, waiting.pop(number)))
                if self._error is not None or not self._budget.allows_another(self._parts_done):
                    self._stop.set()
                if self._on_progress is not None:
                    self._on_progress(self._progress(total, is_over=not waiting))
                if waiting:
                    time.sleep(_POLL)
        except BaseException as error:
            self._stop.set()
            self._dask_client.cancel([future for future in waiting.values() if not future.done()])
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(batch=results("Interrupted")) from None
            raise
        if self._error is not None:
            journal = self._options.journal
            resume = f"{journal} has the responses so far; running again continues from there." if journal else ""
            raise RowsError(
                f"The run ended after {self._done:,} rows: {type(self._error).__name__}: {self._error.cause}",
                remedy=self._error.remedy,
                kept=resume,
                batch=results("Stopped early"),
            ) from self._error

    def _add(self, counts: PartCounts) -> None:
        self._done += counts.done
        self._failed += counts.failed
        self._reused += counts.reused
        self._tokens += counts.tokens
        self._parts_done += 1
        self._budget.record(counts.tokens)
        self._error = self._error or counts.error

    def _progress(self, total: int | None, *, is_over: bool) -> Progress:
        """Return the counts of the parts that are done."""
        seconds = time.monotonic() - self._began
        return Progress(
            total,
            self._done,
            self._failed,
            self._reused,
            self._tokens,
            seconds=seconds,
            rate=self._speed.update(seconds, self._done - self._reused),
            is_over=is_over,
        )

"""What a worker of a dask cluster does with its part of the rows."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import AzmlError, JournalError, RowsError
from ..core.paths import path_of
from ..core.tracing.opentelemetry_api import continue_trace
from .mapper import RowMapper
from .sources import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.response import Response
    from .prompts import RowPrompt
    from .run_options import RunOptions
    from .table_rows import Record, TableRow

_POLL = 1.0  # seconds between two looks at the stop event, or at a locked journal
_MAX_LOCKED = 30.0  # seconds for a worker that was given up to release the journal
_running = threading.Lock()  # one part at a time in this process
_NOT_SENT = (None, None, False)


class _Stopped(Exception):
    """The run was stopped by the process that began it."""


@dataclass(frozen=True)
class Part:
    """One part of a run.

    Attributes:
        run: The name of the run.
        number: The part's number, which names its journal.
        row_prompt: The prompt; the key of its config is a reference.
        options: The limits of each worker; the journal is a folder.
        trace: What carries the trace of the run to the worker.
    """

    run: str
    number: int
    row_prompt: RowPrompt
    options: RunOptions
    trace: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_options(self) -> RunOptions:
        """The options with the journal of this part."""
        journal = self.options.journal
        if journal is None:
            return self.options
        return replace(self.options, journal=path_of(journal) / f"part-{self.number:05}.jsonl")


@dataclass(frozen=True)
class PartResult:
    """What came of a part.

    Attributes:
        rows: For each row its response, its error, and whether they come from the journal.
        error: What ended the part before its last row.
    """

    rows: list[tuple[Any, Any, bool]]
    error: AzmlError | None = None


class PartCounts(NamedTuple):
    """The counts of a part: rows that are done, failed and from the journal, tokens that were sent, and its error."""

    done: int
    failed: int
    reused: int
    tokens: int
    error: AzmlError | None


def send_part(rows: Any, part: Part) -> PartResult:
    """Send the rows of a part.

    Args:
        rows: A list of records, or a partition of a dask DataFrame.
        part: What is sent, and how.
    """
    if len(rows) == 0:
        return PartResult([])
    prompt = part.row_prompt
    mapper = RowMapper(prompt.config, prompt.prompt, rows, variables=prompt.variables, schema=prompt.schema)
    with _running, continue_trace(part.trace):
        try:
            batch = _results_once_unlocked(mapper, part)
        except RowsError as stopped:
            cause = stopped.__cause__
            error = cause if isinstance(cause, AzmlError) else AzmlError(f"{type(cause).__name__}: {cause}")
            return PartResult(_portable_rows(stopped.batch or ()), error)
        except _Stopped:
            return PartResult([_NOT_SENT] * len(rows))
        except AzmlError as error:  # before the first row
            return PartResult([_NOT_SENT] * len(rows), error.with_traceback(None))
    return PartResult(_portable_rows(batch))


def _portable_rows(batch: Iterable[Any]) -> list[tuple[Any, Any, bool]]:
    """Return the rows without what may not be pickled: parsed objects, and errors of other libraries."""
    return [(_without_parsed(row.response), _portable_error(row.error), row.reused) for row in batch]


def _without_parsed(response: Response | None) -> Response | None:
    return replace(response, parsed=None) if response is not None and response.parsed is not None else response


def _portable_error(error: BaseException | None) -> BaseException | None:
    if error is None or isinstance(error, AzmlError):
        return error
    return AzmlError(f"{type(error).__name__}: {error}")


def _results_once_unlocked(mapper: RowMapper, part: Part) -> Iterable[Any]:
    """Return the results, after waiting for a worker that was given up to release the part's journal."""
    until = time.monotonic() + _MAX_LOCKED
    while True:
        check = _StopCheck(part.run)
        check(None)
        try:
            return mapper.results(part.own_options, check)
        except JournalError as error:
            if "Another run" not in error.cause or time.monotonic() > until:
                raise
        time.sleep(_POLL)


class _StopCheck:
    """Looks from time to time whether the run was stopped, and raises _Stopped."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._next = 0.0

    def __call__(self, _progress: object) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _POLL
        with contextlib.suppress(OSError, TimeoutError, ValueError):  # the scheduler is busy: look again later
            if stop_event(self._run).is_set():
                raise _Stopped


def stop_event(run: str, dask_client: Any = None) -> Any:
    """Return the cluster-wide event that stops a run.

    Args:
        run: The name of the run.
        dask_client: The client of the process that began the run; None on a worker.
    """
    import distributed  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

    event: Any = distributed.Event  # it has no types
    return event(run, client=dask_client or distributed.get_client(timeout=5))


def count_rows(result: PartResult) -> PartCounts:
    """Return the counts of a part."""
    done = failed = reused = tokens = 0
    for response, error, was_reused in result.rows:
        done += response is not None or error is not None
        failed += error is not None
        reused += was_reused
        usage = response.usage if response is not None and not was_reused else None
        tokens += (usage.total_tokens or 0) if usage else 0
    return PartCounts(done, failed, reused, tokens, result.error)


def add_responses(rows: Any, result: PartResult, part: Part) -> Any:
    """Return the partition `rows` with the columns of the responses."""
    table, prompt = table_of(rows), part.row_prompt
    pairs = zip(table.records(), result.rows, strict=True)
    made = [make_row(prompt, record, outcome) for record, outcome in pairs]
    return table.with_responses([replace(row, fields=tuple(map(_as_text, row.fields))) for row in made], prompt.columns)


def _as_text(value: Any) -> Any:
    """Return lists and objects as JSON: dask would make texts of their repr (`dataframe.convert-string`)."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else value


def make_row(prompt: RowPrompt, record: Record, outcome: tuple[Any, Any, bool]) -> TableRow:
    """Return the row of a record from its response, its error, and whether they come from the journal."""
    response, error, reused = outcome
    return prompt.make_row(record, response, error, reused=reused)

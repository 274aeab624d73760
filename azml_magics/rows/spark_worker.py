"""What a task of Spark does with its partition: sends its rows, batch by batch."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..core.paths import path_of
from ..core.tracing.opentelemetry_api import continue_trace
from .folder_journal import FolderJournal
from .mapper import take_rows
from .runner import Run
from .sources import ListTable
from .table_rows import EMBEDDING_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .prompts import RowPrompt
    from .run_options import RunOptions
    from .table_rows import Column, TableRow

_MIN_ROWS = 128  # rows that are sent before the first of them goes on: an action that needs few sends no more


@dataclass(frozen=True)
class SparkJob:
    """What every task of Spark gets.

    Attributes:
        row_prompt: The prompt; the key of its config is a reference.
        options: The limits of one task, and the journal's folder.
        columns: The columns of the DataFrame.
        names: The names of the columns that the responses add.
        time_zone: The one in which Spark shows times.
        trace: What carries the current trace to the executors.
    """

    row_prompt: RowPrompt
    options: RunOptions
    columns: tuple[str, ...]
    names: tuple[str, ...]
    time_zone: str
    trace: Mapping[str, str] = field(default_factory=dict)


def send_batches(batches: Iterator[Any], pickled: bytes) -> Iterator[Any]:
    """Yield the batches of a partition with the columns of the responses.

    Args:
        batches: Record batches of Arrow.
        pickled: A SparkJob.

    Raises:
        AzmlError: The endpoint refuses every request, or the journal cannot be used.
    """
    job: SparkJob = pickle.loads(pickled)  # noqa: S301 - made by this package on the driver
    task: _Task | None = None
    try:
        for batch in batches:
            task = task or _Task(job)  # an empty partition needs no key
            step = max(_MIN_ROWS, 32 * job.options.concurrency)
            for start in range(0, batch.num_rows, step):
                with continue_trace(job.trace):
                    sent = task.send(batch.slice(start, step))
                yield sent
    finally:
        if task is not None:
            task.close()


class _Task:
    """One task of a job: its prompt and its open journal."""

    def __init__(self, job: SparkJob) -> None:
        self._job = job
        self._prompt: RowPrompt = job.row_prompt
        self._zone = ZoneInfo(job.time_zone)
        secrets = self._prompt.resolve_keys()
        folder = job.options.journal
        self._journal = None if folder is None else FolderJournal(path_of(folder), self._prompt.settings(), secrets)

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def send(self, batch: Any) -> Any:
        """Return a batch with the columns of its responses."""
        rows = [self._shown(row) for row in batch.to_pylist()]
        table = ListTable(rows, "text")
        run = Run(
            self._prompt,
            table.records(),
            self._job.options,
            journal=self._journal,
            total=len(rows),
            closes_journal=False,
        )
        done: list[TableRow] = []
        with run:
            for some in take_rows(run):
                done += [row for _, row in some]
        done += [row for _, row in run.take(0)]
        if run.error is not None:
            raise run.error
        return _with_columns(batch, done, self._job.names, self._prompt.columns)

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row with times as Spark shows them: those of the session's time zone, without its name."""
        return {
            name: value.astimezone(self._zone).replace(tzinfo=None)
            if isinstance(value, datetime) and value.tzinfo is not None
            else value
            for name, value in row.items()
        }


def _with_columns(batch: Any, rows: Sequence[TableRow], names: Sequence[str], columns: Sequence[Column]) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,import-not-found,unused-ignore]  # Spark needs it for this

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "any": pa.string(),
    }
    cells = list(zip(*(row.cells() for row in rows), strict=True)) or [() for _ in columns]
    added = []
    for column, values in zip(columns, cells, strict=True):
        kind = pa.list_(pa.float64()) if column == EMBEDDING_COLUMN else kinds.get(column.kind, pa.string())
        is_json = column.kind == "any" and column != EMBEDDING_COLUMN
        added.append(_array(pa, [_as_json(value) if is_json else value for value in values], kind))
    return pa.RecordBatch.from_arrays([*batch.columns, *added], names=[*batch.schema.names, *names])


def _array(pa: Any, values: Sequence[Any], kind: Any) -> Any:
    """An array of Arrow; a value that does not fit, such as a number of 30 digits, is empty, and the text has it."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([_fitting(pa, value, kind) for value in values], kind)


def _fitting(pa: Any, value: Any, kind: Any) -> Any:
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _as_json(value: Any) -> str | None:
    """A value of any kind as JSON; a text stays as it is."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

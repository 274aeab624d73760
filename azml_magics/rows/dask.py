"""Rows past one machine: the parts of a table on the workers of a dask cluster, one engine at a time on each.

A worker is handed a part of the rows, the prompt and the config, whose key is a reference that it resolves itself. With
a journal - a folder that every worker reaches - each part has a file of its own in it: where a worker is lost, the
scheduler hands its part to another, which asks only what that file lacks.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, ConfigError, Interrupted, JournalError, RowsError, UsageError
from ..core.keys import KeyRef
from ..core.paths import path_of
from .dask_choice import chosen
from .dask_worker import Part, answered, ask_part, count, flag, with_answers
from .progress import Progress, Speed
from .results import Results
from .sources import is_dask, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .mapper import Job, OnProgress, RunOptions
    from .records import TableRow

PART = 128  # rows; the same whatever the cluster, so that a journal fits the next run, too
_LOOK = 0.2  # seconds between two looks at how far it is


def asked(
    rows: Any, job_of: Callable[[Any], Job], wishes: RunOptions, client: Any, on_progress: OnProgress | None
) -> Any:
    """The Results of a list or a frame, asked on the client's workers; of a dask DataFrame another one, on its workers.

    job_of: makes the Job of such rows. client: a distributed.Client; None takes the one in use.
    """
    client = client if client is not None else _client_in_use()
    workers = len(client.scheduler_info()["workers"])
    if not workers:
        raise UsageError("The dask cluster has no workers", remedy="Scale it out, then run again.")
    if wishes.journal is not None:
        _make_folder(path_of(wishes.journal))
    work = _Work(client, wishes.for_one_of(workers), on_progress)
    if is_dask(rows):
        job = job_of(rows.head(1, npartitions=-1, compute=True))
        _check_key(job)
        return work.on_frame(job, rows)
    job = job_of(rows)
    _check_key(job)
    return work.on_rows(job)


def _client_in_use() -> Any:
    try:
        from distributed import get_client  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError as error:
        raise ImportError('A cluster needs dask: pip install "azml-magics[dask]".') from error
    try:
        return get_client()
    except ValueError:
        raise UsageError(
            "No dask client is in use", remedy="Make one, dask.distributed.Client(), and pass it as client."
        ) from None


def _check_key(job: Job) -> None:
    key = job.question.config.key
    if key is not None and not (isinstance(key, KeyRef) and key.scheme != "ask"):
        raise ConfigError(
            "This config's key cannot go to the workers: it is held in this process alone",
            remedy="Give every worker the key and name it with env:NAME or keyring:SERVICE/NAME, or use entra.",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise JournalError(
            f"The journal {str(folder)!r} cannot be a folder: {error.strerror or error}",
            remedy="On a cluster a journal is a folder that every worker reaches; choose another name.",
        ) from error


class _Work:
    """Parts under way on a cluster."""

    def __init__(self, client: Any, wishes: RunOptions, on_progress: OnProgress | None) -> None:
        self._client = client
        self._wishes = wishes
        self._on_progress = on_progress
        self._name = f"azml-rows-{uuid.uuid4().hex[:12]}"
        self._stop = flag(self._name, client)
        self._began = time.monotonic()
        self._speed = Speed()
        self._parts: list[Part] = []
        self._futures: list[Any] = []
        self.done = self.failed = self.reused = self.tokens = 0
        self.error: AzmlError | None = None

    def _submit(self, job: Job, parts: Sequence[Any]) -> None:
        question = job.question
        for number, rows in enumerate(parts):
            part = Part(self._name, number, question, self._wishes)
            key = f"{self._name}-{number}"
            self._parts.append(part)
            self._futures.append(self._client.submit(ask_part, rows, part, key=key, pure=False))

    def on_rows(self, job: Job) -> Results:
        """Every row with its answer."""
        table = job.table
        if table.is_lazy or table.length is None:
            raise UsageError("An iterator or a file cannot go to a cluster", remedy="Pass a DataFrame or a list.")
        bounds = range(0, table.length, PART)
        records = list(table.records())
        self._submit(job, [records[start : start + PART] for start in bounds])
        answers: dict[int, Any] = {}

        def arrived(number: int, future: Any) -> tuple[int, int, int, int, AzmlError | None]:
            answers[number] = part = future.result()
            return count(part)

        def results(note: str = "") -> Results:
            rows: list[TableRow] = []
            for start in bounds:
                part = answers.get(start // PART)
                for offset, record in enumerate(records[start : start + PART]):
                    rows.append(answered(job.question, record, part.rows[offset]) if part else job.unasked(record))
            return Results(rows, self.progress(table.length, is_over=True), job.given_back, note=note)

        self._watch(table.length, arrived, results)
        return results(self._note())

    def on_frame(self, job: Job, frame: Any) -> Any:
        """The dask DataFrame with the answers; its partitions stay where they were asked."""
        import dask.dataframe as dd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

        parts, total = chosen(self._client, frame.to_delayed(), job.limit, job.sample)
        self._submit(job, parts)

        def arrived(_number: int, future: Any) -> tuple[int, int, int, int, AzmlError | None]:
            counts: tuple[int, int, int, int, AzmlError | None] = self._client.submit(
                count, future, pure=False
            ).result()
            return counts

        self._watch(total, arrived, lambda _note: None)
        threes = zip(parts, self._futures, self._parts, strict=True)
        made = [self._client.submit(with_answers, rows, answers, part, pure=False) for rows, answers, part in threes]
        empty = table_of(frame._meta)  # noqa: SLF001 - dask's name for it, in its documentation too
        meta = empty.given_back([], job.question.columns)
        divisions = frame.divisions[: len(made) + 1] if frame.known_divisions else None
        return dd.from_delayed(made, meta=meta, divisions=divisions)

    # ---- waiting

    def _watch(self, total: int | None, arrived: Callable[[int, Any], Any], results: Callable[[str], Any]) -> None:
        """Wait for every part. Interrupted or RowsError, where it ends early, have what came in `batch`."""
        waiting = dict(enumerate(self._futures))
        try:
            while waiting:
                for number in [number for number, future in waiting.items() if future.done()]:
                    *counts, error = arrived(number, waiting.pop(number))
                    for name, more in zip(("done", "failed", "reused", "tokens"), counts, strict=True):
                        setattr(self, name, getattr(self, name) + more)
                    self.error = self.error or error
                    if self.error is not None or self._is_spent():
                        self._stop.set()
                if self._on_progress is not None:
                    self._on_progress(self.progress(total, is_over=not waiting))
                if waiting:
                    time.sleep(_LOOK)
        except BaseException as error:
            self._stop.set()
            self._client.cancel([future for future in waiting.values() if not future.done()])
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(batch=results("Interrupted")) from None
            raise
        if self.error is not None:
            kept = f" {self._wishes.journal} has the answers; run again to go on." if self._wishes.journal else ""
            raise RowsError(
                f"The run ended after {self.done:,} rows: {type(self.error).__name__}: {self.error.cause}",
                remedy=f"{self.error.remedy}{kept}",
                batch=results("Stopped early"),
            ) from self.error

    def _is_spent(self) -> bool:
        tokens = self._wishes.limits.tokens
        return tokens is not None and self.tokens >= tokens

    def _note(self) -> str:
        return f"It began no more at its limit of {self._wishes.limits.tokens:,} tokens" if self._is_spent() else ""

    def progress(self, total: int | None, *, is_over: bool) -> Progress:
        """The rows of the parts that are done."""
        seconds = time.monotonic() - self._began
        rate = self._speed.of(seconds, self.done - self.reused)
        return Progress(
            total, self.done, self.failed, self.reused, self.tokens, seconds=seconds, rate=rate, is_over=is_over
        )

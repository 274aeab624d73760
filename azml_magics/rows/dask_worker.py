"""What a worker of a dask cluster does with its part of the rows."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.errors import AzmlError, JournalError, RowsError
from ..core.paths import path_of
from .mapper import Job, RunOptions
from .sources import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.response import Response
    from .prompts import Question
    from .records import Record, TableRow

    Counts = tuple[int, int, int, int, AzmlError | None]

_ASK_AGAIN = 1.0  # seconds between two questions whether the run is still wanted
_LOCKED = 30.0  # seconds for a worker that was given up to let go of the journal
_engine = threading.Lock()  # this process's: partitions wait for each other


class _Unwanted(Exception):
    """The run was stopped where it began."""


@dataclass(frozen=True)
class Part:
    """One part of a run: which, and what is asked. The key of the question's config is a reference."""

    run: str
    number: int
    question: Question
    wishes: RunOptions

    @property
    def own_wishes(self) -> RunOptions:
        """The wishes with the part's own journal."""
        journal = self.wishes.journal
        if journal is None:
            return self.wishes
        return replace(self.wishes, journal=path_of(journal) / f"part-{self.number:05}.jsonl")


@dataclass(frozen=True)
class Answers:
    """(response, error, reused) for each row of a part, and what ended it before its last one."""

    rows: list[tuple[Any, Any, bool]]
    error: AzmlError | None = None


def ask_part(rows: Any, part: Part) -> Answers:
    """The answers to the rows: a list of dicts, or a partition of a dask DataFrame."""
    if len(rows) == 0:
        return Answers([])
    asked = part.question
    job = Job(asked.config, asked.prompt, rows, variables=asked.variables, schema=asked.schema)
    with _engine:
        try:
            batch: Iterable[Any] = _patiently(job, part)
        except RowsError as stopped:
            cause = stopped.__cause__
            error = cause if isinstance(cause, AzmlError) else AzmlError(f"{type(cause).__name__}: {cause}")
            return Answers(_plain(stopped.batch or ()), error)
        except _Unwanted:
            return Answers([(None, None, False)] * len(rows))
        except AzmlError as error:  # before the first row
            return Answers([(None, None, False)] * len(rows), error.with_traceback(None))
    return Answers(_plain(batch))


def _plain(batch: Iterable[Any]) -> list[tuple[Any, Any, bool]]:
    """The rows' answers as they travel: errors of other libraries may not, and a schema's objects are read again."""
    return [(_unread(row.response), _portable(row.error), row.reused) for row in batch]


def _unread(response: Response | None) -> Response | None:
    return replace(response, parsed=None) if response is not None and response.parsed is not None else response


def _portable(error: BaseException | None) -> BaseException | None:
    if error is None or isinstance(error, AzmlError):
        return error
    return AzmlError(f"{type(error).__name__}: {error}")


def _patiently(job: Job, part: Part) -> Iterable[Any]:
    """The rows' answers, once a worker that was given up has let go of the part's journal."""
    until = time.monotonic() + _LOCKED
    while True:
        watch = _Watch(part.run)
        watch(None)
        try:
            return job.results(part.own_wishes, watch)
        except JournalError as error:
            if "Another run" not in error.cause or time.monotonic() > until:
                raise
        time.sleep(_ASK_AGAIN)


class _Watch:
    """Asks the cluster now and then whether the run is still wanted; _Unwanted where it is not."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._next = 0.0

    def __call__(self, _progress: object) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _ASK_AGAIN
        with contextlib.suppress(OSError, TimeoutError, ValueError):  # the scheduler is busy: the next time, then
            if flag(self._run).is_set():
                raise _Unwanted


def flag(name: str, client: Any = None) -> Any:
    """The flag of that name on the whole cluster; set, it says that the run of that name is over."""
    import distributed  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

    event: Any = distributed.Event  # without types of its own
    return event(name, client=client or distributed.get_client(timeout=5))


def count(answers: Answers) -> Counts:
    """(rows that are done, rows with an error, rows from the journal, tokens asked for, the error) of a part."""
    done = failed = reused = tokens = 0
    for response, error, was_kept in answers.rows:
        done += response is not None or error is not None
        failed += error is not None
        reused += was_kept
        usage = response.usage if response is not None and not was_kept else None
        tokens += (usage.total_tokens or 0) if usage else 0
    return done, failed, reused, tokens, answers.error


def with_answers(rows: Any, answers: Answers, part: Part) -> Any:
    """The partition with the answers' columns."""
    table, question = table_of(rows), part.question
    pairs = zip(table.records(), answers.rows, strict=True)
    made = [answered(question, record, answer) for record, answer in pairs]
    return table.given_back([replace(row, fields=tuple(map(_as_text, row.fields))) for row in made], question.columns)


def _as_text(value: Any) -> Any:
    """Lists and objects as JSON: dask makes texts of them anyway (`dataframe.convert-string`), by their repr."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else value


def answered(question: Question, record: Record, answer: tuple[Any, Any, bool]) -> TableRow:
    """The row of a record, from its answer as it travelled."""
    response, error, reused = answer
    return question.answered(record, response, error, reused=reused)

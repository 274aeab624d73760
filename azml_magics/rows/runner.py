"""Rows asked many at a time, in threads that each wait for a permit of their endpoint; results in the rows' order.

Threads, because an event loop that runs already cannot be waited for - in a notebook one always runs - and because
requests that are short and many go faster in them.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import AzmlError
from ..core.http.rate_limiter import RunCancelled, RunControl, limit_rate, rate_limiter_for
from ..core.http.window import FIRST_WINDOW
from .failures import Health
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ..core.messages import Message
    from ..core.response import Response
    from .journal import Journal
    from .progress import Progress
    from .prompts import Question
    from .records import Record
    from .tally import Done

DEFAULT_CONCURRENCY = 16
GIVE_UP_AFTER = 900.0  # a new instance of a language model takes 12 to 18 minutes to load
_GOODBYE = 0.4  # seconds that an interrupt waits for answers that are just coming
_LONGER_GOODBYE = 5.0  # and an error, which nobody waits for with a finger on the button


@dataclass(frozen=True)
class Limits:
    """What bounds a run. rpm, tpm: requests and tokens a minute. tokens: none is begun beyond so many.

    give_up_after: seconds for which an endpoint may be overloaded. look_ahead: how many rows may be read before the
    first of them is handed out; None where all are held anyway.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    rpm: float | None = None
    tpm: float | None = None
    tokens: int | None = None
    give_up_after: float = GIVE_UP_AFTER
    look_ahead: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A row that is to be asked; key and number are its place in the journal."""

    record: Record
    messages: list[Message]
    key: bytes = b""
    n: int = 0


class Run:
    """Rows under way: `with Run(…) as run`, then `run.due(seconds)` until `run.is_over`; leaving the block ends it.

    error: what ended the run before its last row. is_spent: it ended at its limit of tokens. is_over: nothing more
    comes; `on_over` is called then, in a thread of the run.
    What is under way when the block is left ends in the background, and its answer is not kept.
    """

    def __init__(
        self,
        question: Question,
        records: Iterable[Record],
        limits: Limits,
        *,
        journal: Journal | None = None,
        retry_failed: bool = False,
        total: int | None = None,
    ) -> None:
        self._question = question
        self._records = iter(records)
        self._limits = limits
        self._journal = journal
        self._retry_failed = retry_failed
        self._tally = Tally(total)
        self._health: Health[Task] = Health(has_answered=bool(journal is not None and len(journal)))
        self._limiter = rate_limiter_for(question.config)
        self._control = RunControl(limits.rpm, limits.tpm, limits.give_up_after, self._go_on)
        self._ends = contextlib.ExitStack()
        self._feed = threading.Lock()  # for reading rows, one thread at a time
        self._read = self._begun = 0  # rows that were read, and of them those that are asked
        self._is_exhausted = False
        self._changed = threading.Condition()  # for what follows
        self._threads = limits.concurrency if total is None else max(1, min(limits.concurrency, total))
        self._active = self._newcomers = 0  # threads that may still ask, and of them those that never had their turn
        self._own = threading.local()
        self._context = contextvars.copy_context()
        self._answered = self._tokens = 0  # counted only where there is a limit of tokens
        self._ended: float | None = None
        self.error: BaseException | None = None
        self.is_over = False
        self.is_spent = False
        self.on_over: Callable[[], object] | None = None

    # ---- for whoever started it ----

    def __enter__(self) -> Self:
        """Begin."""
        self._ends.enter_context(self._limiter.apply_limits(self._control))
        for _ in range(min(self._threads, int(FIRST_WINDOW))):
            self._begin_thread()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Begin nothing more, wait a moment for answers that are just coming, and let go of the journal."""
        self._control.stop()
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.is_over, _GOODBYE if self.error is None else _LONGER_GOODBYE)
            self._ended = self._ended or time.monotonic()
        if self._journal is not None:
            self._journal.close()
        self._ends.close()

    def due(self, seconds: float) -> list[Done]:
        """The rows that are done and have none before them that is not; waits for news, at most that long.

        Once the run is over: all that are left, whatever is missing between them.
        """
        with self._changed:
            if not self.is_over:
                self._changed.wait(seconds)
            due = self._tally.due(all_of_them=self.is_over or self._control.stopped.is_set())
            if due and self._limits.look_ahead is not None:
                self._changed.notify_all()  # there is room to read on
            return due

    def progress(self) -> Progress:
        """How far it is."""
        with self._changed:
            return self._tally.progress(self._ended, self._begun)

    # ---- the threads ----

    def _begin_thread(self) -> None:
        with self._changed:
            if self._active >= self._threads:
                return
            self._active += 1
            self._newcomers += 1
        context = self._context.copy()
        threading.Thread(target=context.run, args=(self._work,), name="azml-magics-rows", daemon=True).start()

    def _go_on(self) -> None:
        """This thread has a permit. With its first one the next thread begins: no crowd waits at the rate limiter."""
        if getattr(self._own, "has_begun", False):
            return
        self._own.has_begun = True
        with self._changed:
            self._newcomers -= 1
            if self._newcomers or self._is_exhausted:
                return
        self._begin_thread()

    def _work(self) -> None:
        try:
            with limit_rate(self._control):
                while (task := self._next_task()) is not None:
                    self._ask(task)
        except RunCancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - raised for the caller, who waits in another thread
            self._end(error)
        finally:
            self._gone()

    def _gone(self) -> None:
        """A thread has nothing more to do; the last one sees to the rows that were held."""
        with self._changed:
            self._active -= 1
            if self._active:
                return
            held = [] if self._control.stopped.is_set() else self._health.held
        try:
            for task, failure in held:
                self._finish(task, None, failure)
        except BaseException as error:  # noqa: BLE001 - the journal: raised for the caller
            self._end(error)
        with self._changed:
            self._ended, self.is_over = time.monotonic(), True
            self._changed.notify_all()
        if self.on_over is not None:
            self.on_over()

    def _end(self, error: BaseException) -> None:
        """Begin nothing more; the first error is the one that counts."""
        with self._changed:
            if self.error is None and not self._control.stopped.is_set():
                self.error = error
            self._control.stop()
            self._changed.notify_all()

    # ---- one row ----

    def _ask(self, task: Task) -> None:
        began = time.monotonic()
        try:
            response = self._question.ask(task.messages)
        except Exception as error:  # noqa: BLE001 - the row's, or the reason to end
            self._judge(task, error.with_traceback(None), began)
            return
        if self._limits.tokens is not None:
            with self._changed:
                self._answered += 1
                self._tokens += (response.usage.total_tokens or 0) if response.usage else 0
        object.__setattr__(response, "raw", None)  # nobody else has it yet; a hundred thousand of them are not kept
        self._finish(task, *self._question.read(response))
        if not self._health.is_fine:
            with self._changed:
                proven = self._health.answered()
            for other, failure in proven:
                self._finish(other, None, failure)

    def _judge(self, task: Task, error: Exception, began: float) -> None:
        gone = isinstance(error, AzmlError) and self._limiter.should_give_up(error, self._limits.give_up_after)
        with self._changed:
            verdict = self._health.failed(task, error, began, time.monotonic(), is_gone=gone)
        if verdict == "row":
            self._finish(task, getattr(error, "response", None), error)
        elif verdict == "end":
            self._end(error)

    def _finish(self, task: Task, response: Response | None, error: Exception | None) -> None:
        """The row is done, once the journal has it."""
        try:
            if self._journal is not None and not self._journal.keep(task.key, task.n, response, error):
                raise RunCancelled  # the run was stopped, and its journal is closed
        finally:  # an answer that no disk would take is still an answer
            self._arrive(task.record, response, error)

    def _arrive(
        self, record: Record, response: Response | None, error: BaseException | None, *, reused: bool = False
    ) -> None:
        self._tally.arrived.append((record, self._question.answered(record, response, error, reused=reused)))

    # ---- what is next ----

    def _next_task(self) -> Task | None:
        """The next row to ask; None where there is none. Those that need no asking are done on the way."""
        with self._feed:
            while not (self._is_exhausted or self._control.stopped.is_set()) and self._may_read():
                record = next(self._records, None)
                if record is None:
                    self._is_exhausted = True
                    return None
                self._read += 1
                task = self._task(record)
                if task is not None:
                    self._begun += 1
                    return task
        return None

    def _may_read(self) -> bool:
        """Whether the run's limits let it read one more row; waits until it is known."""
        ahead, tokens = self._limits.look_ahead, self._limits.tokens
        if ahead is not None and self._read - self._tally.given >= ahead:
            with self._changed:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._control.stopped.is_set() or self._read - self._tally.given < ahead)
        if tokens is not None and not self.is_spent:
            with self._changed:
                under_way = self._begun - self._answered
                expected = self._tokens / self._answered * under_way if self._answered else 0.0
                self.is_spent = self._tokens + expected >= tokens
        return not (self.is_spent or self._control.stopped.is_set())

    def _task(self, record: Record) -> Task | None:
        """What is to be asked about the row; None where it is done: it cannot be asked, or the journal has it."""
        try:
            messages = self._question.messages(record)
        except Exception as error:  # noqa: BLE001 - the row's own: a value is missing, or a person's function failed
            self._arrive(record, None, error.with_traceback(None))
            return None
        if self._journal is None:
            return Task(record, messages)
        key = self._question.key(messages)
        n = self._journal.number(key)
        found = self._journal.find(key, n)
        if found is None or (found[1] is not None and self._retry_failed):
            return Task(record, messages, key, n)
        self._arrive(record, *found, reused=True)
        return None

"""Sends many rows at a time, in threads that each wait for the rate limiter of their endpoint.

It uses threads because nothing can wait for an event loop that is already running, as one is in every notebook, and
because they are faster for many short requests.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from ..core.browser import check_threads
from ..core.errors import AzmlError
from ..core.http.run_control import RunCancelled, RunControl, limit_rate
from ..core.http.waiting import SHORTEST_REPORTED
from ..core.http.window import FIRST_WINDOW
from ..core.interrupts import unmask_interrupts
from .failure_policy import FailurePolicy
from .progress import RunState
from .run_trace import end_trace, trace_run
from .tasks import TaskMaker
from .token_budget import TokenBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ..core.messages import Message
    from ..core.response import Response
    from .folder_journal import FolderJournal
    from .journal import Journal
    from .progress import Done, Progress
    from .prompts import RowPrompt
    from .run_options import RunOptions
    from .table_rows import Record
    from .tasks import Task

_WAIT_ON_INTERRUPT = 0.4  # seconds to wait for responses that are about to arrive
_WAIT_ON_ERROR = 5.0


class Run:
    """The threads that send a table's rows.

    Leaving its block ends the run. Requests still in flight are abandoned: their connections close and their responses
    are dropped.

    Examples:
        with Run(...) as run:
            while not run.is_over and run.error is None:
                rows = run.take(seconds)

    Attributes:
        error: What ended the run before its last row, None if nothing did.
        is_over: Whether no further rows come.
        options: The limits of the run.
        budget: The limit of tokens, which may have ended the run.
        left: The rows of a stream that were read and not handed out, by position; whoever hands one out removes it.
        on_over: Called in a thread of the run once it is over.
    """

    def __init__(
        self,
        row_prompt: RowPrompt,
        records: Iterable[Record],
        options: RunOptions,
        *,
        journal: Journal | FolderJournal | None = None,
        total: int | None = None,
        look_ahead: int | None = None,
        counts_read: bool = False,
        budget: TokenBudget | None = None,
        closes_journal: bool = True,
        on_messages: Callable[[Record, list[Message]], object] | None = None,
    ) -> None:
        """Prepare a run; entering the block begins it.

        Args:
            row_prompt: Makes a request of each row.
            records: The rows.
            options: The limits of the run.
            journal: An open journal.
            total: The number of rows, None if unknown.
            look_ahead: The most rows to read before the first of them is taken, None for no limit.
            counts_read: Whether the progress says how many rows were read.
            budget: The limit of tokens that it shares with other runs; by default one of its own.
            closes_journal: Whether the run closes the journal when it ends; False if other runs use it, too.
            on_messages: Called with the messages of each row before it is sent or found in the journal.
        """
        self._row_prompt = row_prompt
        self._records = iter(records)
        self.options = options
        self._journal = journal
        self._look_ahead = look_ahead
        self._counts_read = counts_read
        self._closes_journal = closes_journal
        self._tasks = TaskMaker(
            row_prompt, journal, self._deliver, retry_failed=options.retry_failed, on_messages=on_messages
        )
        self.left: dict[int, Record] = {}
        self._state = RunState(total)
        has_responses = journal is not None and closes_journal and len(journal) > 0  # those of other runs tell nothing
        self._policy: FailurePolicy[Task] = FailurePolicy(has_succeeded=has_responses)
        self._limiter = row_prompt.limiter
        self._control = RunControl(options.rpm, options.tpm, options.give_up_after, self._on_permit)
        self._cleanup = contextlib.ExitStack()
        self._reading = threading.Lock()  # one thread at a time reads rows
        self._read = self._begun = 0  # rows that were read, and those of them that are sent
        self._is_exhausted = False
        self._changed = threading.Condition()  # guards everything below
        self._max_threads = options.concurrency if total is None else max(1, min(options.concurrency, total))
        self._threads = self._new_threads = 0  # threads that run, and those of them that never had a permit
        self._thread = threading.local()
        self._trace = trace_run(row_prompt, options)
        self._ended: float | None = None
        self.error: BaseException | None = None
        self.is_over = False
        self.budget = budget or TokenBudget(options.max_tokens_total)
        self.on_over: Callable[[], object] | None = None

    # ---- the caller's side

    def __enter__(self) -> Self:
        """Begin to send."""
        check_threads("Requests for rows")
        try:
            self._trace.__enter__()
            self._cleanup.enter_context(self._limiter.apply_limits(self._control))
            for _ in range(min(self._max_threads, int(FIRST_WINDOW))):
                self._begin_thread()
        except BaseException as error:  # an interrupt: the block, whose end would end the run, is not entered
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sending, wait a moment for responses that are about to arrive, and close the journal."""
        self._control.stop()
        seconds = _WAIT_ON_INTERRUPT if self.error is None else _WAIT_ON_ERROR
        try:
            with unmask_interrupts(), self._changed:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self.is_over, seconds)
                self._ended = self._ended or time.monotonic()
        finally:  # a second interrupt must not leave the journal locked
            self._control.abandon()
            if self._journal is not None and self._closes_journal:
                self._journal.close()
            self._cleanup.close()
            end_trace(self._trace, self.progress(), self.error or error)

    def stop(self) -> None:
        """Stop sending; requests in flight go on until the block ends."""
        self._control.stop()

    def raise_concurrency(self, concurrency: int) -> None:
        """Allow more requests at a time than the options did, because another run has ended."""
        with self._changed:
            if concurrency <= self._max_threads or self.is_over or self._is_exhausted:
                return
            self._max_threads = concurrency
        self._begin_thread()

    def take(self, seconds: float, *, in_order: bool = True) -> list[Done]:
        """Return the next rows in order, up to the first that is not done; all that are left once the run is over.

        Args:
            seconds: How long to wait for news.
            in_order: Whether rows behind one that is not done wait for it; use one value for all of a run.
        """
        with unmask_interrupts(), self._changed:
            if not self.is_over:
                self._changed.wait(seconds)
            include_gaps = not in_order or self.is_over or self._control.stopped.is_set()
            rows = self._state.take(include_gaps=include_gaps)
            if rows and self._look_ahead is not None:
                self._changed.notify_all()  # threads that wait in _may_read can go on
            return rows

    def progress(self) -> Progress:
        """Return the counts of the run."""
        pause = self._limiter.pause
        with self._changed:
            return self._state.progress(
                self._ended,
                self._begun,
                str(pause) if pause and pause.seconds >= SHORTEST_REPORTED else "",
                self._read if self._counts_read else None,
            )

    # ---- threads

    def _begin_thread(self) -> None:
        with self._changed:
            if self._threads >= self._max_threads:
                return
            self._threads += 1
            self._new_threads += 1
        context = self._trace.context.copy()
        threading.Thread(target=context.run, args=(self._work,), name="azml-magics-rows", daemon=True).start()

    def _on_permit(self) -> None:
        """Begin another thread when this one has its first permit, so that few threads wait for the rate limiter."""
        if getattr(self._thread, "had_permit", False):
            return
        self._thread.had_permit = True
        with self._changed:
            self._new_threads -= 1
            if self._new_threads or self._is_exhausted:
                return
        self._begin_thread()

    def _work(self) -> None:
        try:
            with limit_rate(self._control):
                while (task := self._next_task()) is not None:
                    self._send(task)
        except RunCancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - raised for the caller, who waits in another thread
            self._end(error)
        finally:
            self._leave()

    def _leave(self) -> None:
        """End this thread; the last one also finishes the rows that are pending."""
        with self._changed:
            self._threads -= 1
            if self._threads:
                return
            pending = [] if self._control.stopped.is_set() else self._policy.pending
        try:
            for task, failure in pending:
                self._finish(task, None, failure)
        except BaseException as error:  # noqa: BLE001 - the journal's, raised for the caller
            self._end(error)
        with self._changed:
            self._ended, self.is_over = time.monotonic(), True
            self._changed.notify_all()
        if self.on_over is not None:
            self.on_over()

    def _end(self, error: BaseException) -> None:
        """Stop sending because of `error`, unless the run is ending already."""
        with self._changed:
            if self.error is None and not self._control.stopped.is_set():
                self.error = error
            self._control.stop()
            self._changed.notify_all()

    # ---- one row

    def _send(self, task: Task) -> None:
        began = time.monotonic()
        try:
            response = self._row_prompt.send(task.messages)
        except Exception as error:  # noqa: BLE001 - the row's, or the reason to end
            self._handle_failure(task, error.with_traceback(None), began)
            return
        self.budget.record((response.usage.total_tokens or 0) if response.usage else 0)
        object.__setattr__(
            response, "raw", None
        )  # nothing else refers to it yet; 100,000 raw replies would fill memory
        self._finish(task, *self._row_prompt.parse(response))
        if not self._policy.is_healthy:
            with self._changed:
                failed = self._policy.record_success()
            for other, failure in failed:
                self._finish(other, None, failure)

    def _handle_failure(self, task: Task, error: Exception, began: float) -> None:
        self.budget.record_failure()
        is_unavailable = isinstance(error, AzmlError) and self._limiter.should_give_up(
            error, self.options.give_up_after
        )
        with self._changed:
            verdict = self._policy.record_failure(task, error, began, time.monotonic(), is_unavailable=is_unavailable)
        if verdict == "row":
            self._finish(task, getattr(error, "response", None), error)
        elif verdict == "end":
            self._end(error)

    def _finish(self, task: Task, response: Response | None, error: Exception | None) -> None:
        """Write the row to the journal, then count it as done."""
        try:
            if self._journal is not None and not self._journal.append(task.key, task.n, response, error):
                raise RunCancelled  # the run was stopped, and its journal is closed
        finally:  # a response that could not be written still counts
            self._deliver(task.record, response, error)

    def _deliver(
        self, record: Record, response: Response | None, error: BaseException | None, *, reused: bool = False
    ) -> None:
        if reused and error is None:
            self._policy.note_success()
        self._state.arrived.append((record, self._row_prompt.make_row(record, response, error, reused=reused)))

    # ---- the next row

    def _next_task(self) -> Task | None:
        """Return the next row to send, None if there is none. Rows that need no request are done on the way."""
        with self._reading:
            while not (self._is_exhausted or self._control.stopped.is_set()) and self._may_read():
                record = next(self._records, None)
                if record is None:
                    self._is_exhausted = True
                    return None
                self._read += 1
                if self._look_ahead is not None:
                    self.left[record.position] = record
                task = self._tasks.make(record)
                if task is not None:
                    self._begun += 1
                    self.budget.record_start()
                    return task
        return None

    def _may_read(self) -> bool:
        """Return whether the limits allow one more row. Waits while too many rows are not taken yet."""
        ahead = self._look_ahead
        if ahead is not None and self._read - self._state.taken >= ahead:
            with self._changed:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._control.stopped.is_set() or self._read - self._state.taken < ahead)
        return self.budget.allows_another() and not self._control.stopped.is_set()

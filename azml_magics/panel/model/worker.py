"""One background task at a time, in a thread of its own.

Which thread runs a widget's callback differs between ipykernel versions, and in some it is the thread that runs
cells. So no slow work is done in a callback.
"""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class WorkerTask:
    """A background task.

    Attributes:
        description: what it does, for the status line.
        waiting: what it waits for, such as "429: waiting 12 s, try 2 of 3"; "" if it does not.
        stopping: set when the task should end; the task has to check it.
        ended: set when the task and its finish callback are done.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self.waiting = ""
        self.stopping = threading.Event()
        self.ended = threading.Event()


class Worker:
    """Runs the panel's tasks. Every method may be called from any thread.

    Args:
        on_failure: called with an exception that a task raised. Such an exception is a bug of the panel; without
            this callback its traceback would end in the thread.
    """

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._task: WorkerTask | None = None
        self._unfinished: list[WorkerTask] = []  # includes tasks whose finish callback is still running

    @property
    def running(self) -> str:
        """What is running, for the status line; "" while idle."""
        task = self._task
        return f"{task.description} {task.waiting}".rstrip() if task else ""

    def start(self, description: str, work: Callable[[WorkerTask], Callable[[], None] | None]) -> bool:
        """Start a task unless one is running.

        Args:
            description: what it does, for the status line.
            work: called in the worker's thread. The callback that it returns runs afterwards, when the worker is free
                for the next task, unless the task was abandoned.

        Returns:
            Whether the task was started.
        """
        with self._lock:
            if self._task is not None:
                return False
            self._task = task = WorkerTask(description)
            self._unfinished.append(task)
        # Run in the caller's context: ipykernel 7.0 finds the parent message of a widget update there and cannot send
        # an update from a thread without one.
        run, context = self._run, contextvars.copy_context()
        threading.Thread(target=context.run, args=(run, task, work), name="azml-magics-panel", daemon=True).start()
        return True

    def _run(self, task: WorkerTask, work: Callable[[WorkerTask], Callable[[], None] | None]) -> None:
        try:
            finish = work(task)
        except Exception as error:  # noqa: BLE001 - reported through on_failure
            failure = error
            finish = lambda: self._on_failure(failure)  # noqa: E731 - takes the place of the task's own callback
        with self._lock:
            is_wanted = self._task is task
            if is_wanted:
                self._task = None
        try:
            if is_wanted and finish is not None:
                finish()
        except Exception as error:  # noqa: BLE001 - reported through on_failure
            self._on_failure(error)
        finally:
            with self._lock:
                self._unfinished = [other for other in self._unfinished if other is not task]
            task.ended.set()

    def stop(self) -> None:
        """Ask the running task to end; it stays the running task until it has."""
        task = self._task
        if task is not None:
            task.stopping.set()

    def abandon(self) -> None:
        """Become free at once: the running task's finish callback will not be called."""
        with self._lock:
            task, self._task = self._task, None
            self._unfinished = [other for other in self._unfinished if other is not task]
        if task is not None:
            task.stopping.set()

    def wait(self, seconds: float) -> bool:
        """Wait until all tasks and their finish callbacks are done; False after `seconds`."""
        limit = time.monotonic() + seconds
        return all(task.ended.wait(max(0.0, limit - time.monotonic())) for task in self._unfinished)

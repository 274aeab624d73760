"""One piece of work at a time, in a thread of its own. No widgets.

Which thread runs a widget's callback differs between the ipykernels, and on some it is the one that runs cells: what
takes time is never done there.
"""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Job:
    """What is being done: `what` in words, and `stopping`, which the work looks at."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.stopping = threading.Event()
        self.ended = threading.Event()


class Work:
    """The panel's worker. Every method may be called from any thread.

    failed: is told what the work raised, which is a fault of ours: a thread's traceback would go nowhere useful.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._unended: list[Job] = []  # also those that are done, while what comes afterwards is not

    @property
    def doing(self) -> str:
        """What is being done, in words; "" while there is nothing."""
        job = self._job
        return job.what if job else ""

    def start(self, what: str, task: Callable[[Job], Callable[[], None] | None]) -> bool:
        """Begin, unless something is being done already; says whether it began.

        `task` gets the Job. What it returns is called afterwards, when the panel is free for the next one, unless it
        was left behind meanwhile.
        """
        with self._lock:
            if self._job is not None:
                return False
            self._job = job = Job(what)
            self._unended.append(job)
        # In the context of who asked for it: ipykernel 7.0 looks there for the message that a widget's update answers,
        # and cannot send one from a thread that has none.
        run, context = self._run, contextvars.copy_context()
        threading.Thread(target=context.run, args=(run, job, task), name="azml-magics-panel", daemon=True).start()
        return True

    def _run(self, job: Job, task: Callable[[Job], Callable[[], None] | None]) -> None:
        try:
            finish = task(job)
        except Exception as error:  # noqa: BLE001 - see `failed`
            failure = error
            finish = lambda: self._failed(failure)  # noqa: E731 - what else there is to do at the end
        with self._lock:
            is_wanted = self._job is job
            if is_wanted:
                self._job = None
        try:
            if is_wanted and finish is not None:
                finish()
        except Exception as error:  # noqa: BLE001 - see `failed`
            self._failed(error)
        finally:
            with self._lock:
                self._unended = [each for each in self._unended if each is not job]
            job.ended.set()

    def stop(self) -> None:
        """Ask what is being done to end; it says itself when it has."""
        job = self._job
        if job is not None:
            job.stopping.set()

    def leave(self) -> None:
        """Go on without waiting for what is being done: nothing of it is shown any more."""
        with self._lock:
            job, self._job = self._job, None
            self._unended = [each for each in self._unended if each is not job]
        if job is not None:
            job.stopping.set()

    def wait(self, seconds: float) -> bool:
        """Whether nothing is being done, and what comes afterwards is done, too, after at most that long."""
        limit = time.monotonic() + seconds
        return all(job.ended.wait(max(0.0, limit - time.monotonic())) for job in self._unended)

"""Many requests side by side, in bounded number and time; what fails does not stop the rest."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import APITimeoutError, AzmlError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .deadline import Deadline
    from .deployment import Deployment

_WORKERS = 16
MAX_OWNERS = 300
"""Resources and workspaces that are looked at; each takes a few requests."""


@dataclass(frozen=True)
class Problem:
    """A request that was refused or failed, while the others went on.

    Attributes:
        what: What was asked for, such as "the deployments of ACCOUNT".
        error: What came of it. Its message names the missing role, if that is the reason.
    """

    what: str
    error: AzmlError

    def __str__(self) -> str:
        return f"{self.what[:1].upper()}{self.what[1:]}: {self.error}"


class Survey:
    """Runs tasks that find deployments and start further tasks.

    Args:
        deadline: When to stop.
        max_owners: How many resources and workspaces to look at.

    Attributes:
        found: What the tasks found.
        problems: What failed.
        left_out: How many resources and workspaces were not looked at.
    """

    def __init__(self, deadline: Deadline, max_owners: int = MAX_OWNERS) -> None:
        self.deadline = deadline
        self.found: list[Deployment] = []
        self.problems: list[Problem] = []
        self.left_out = 0
        self._owners_left = max_owners
        self._admitted: set[str] = set()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="azml-magics-discover")
        self._changed = threading.Condition()
        self._pending = self._done = 0
        self._defect: BaseException | None = None

    def submit(self, what: str, task: Callable[..., None], *arguments: Any, optional: bool = False) -> None:
        """Run a task in a thread.

        Args:
            what: What it asks for, for a problem's message.
            task: Called with `arguments`.
            arguments: Its arguments.
            optional: Whether it is no problem if the service does not offer this.
        """
        with self._changed:
            self._pending += 1
        self._pool.submit(self._run, what, task, arguments, optional)

    def _run(self, what: str, task: Callable[..., None], arguments: tuple[Any, ...], optional: bool) -> None:
        try:
            task(*arguments)
        except AzmlError as error:
            is_missing = optional and isinstance(error, NotFoundError)
            if not is_missing and error.error_code != "out-of-time":
                self.report(what, error)
        except BaseException as defect:  # noqa: BLE001 - `wait` raises it
            self._defect = defect
        finally:
            with self._changed:
                self._pending -= 1
                self._done += 1
                self._changed.notify_all()

    def add(self, *deployments: Deployment) -> None:
        """Add what was found."""
        with self._changed:
            self.found.extend(deployments)

    def report(self, what: str, error: AzmlError) -> None:
        """Add a problem."""
        with self._changed:
            self.problems.append(Problem(what, error))

    def admit(self, resource: str) -> bool:
        """Whether to look at a resource or workspace, by its id: each once, and those that are too many are counted."""
        with self._changed:
            if resource.lower() in self._admitted:
                return False
            self._admitted.add(resource.lower())
            if self._owners_left <= 0:
                self.left_out += 1
                return False
            self._owners_left -= 1
            return True

    def has_admitted(self, resource: str) -> bool:
        """Whether a resource is looked at already."""
        with self._changed:
            return resource.lower() in self._admitted

    def wait(self) -> None:
        """Wait until all tasks have ended, or until the deadline; what is not finished then becomes a problem."""
        try:
            with self._changed:
                while self._pending and not self._defect:
                    self._changed.wait(min(self.deadline.remaining(), 1.0))  # short, so that an interrupt comes through
        except APITimeoutError as error:
            self.report(f"{self._pending} of {self._pending + self._done} requests", error)
        finally:
            self.deadline.cancel()
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._defect:
            raise self._defect

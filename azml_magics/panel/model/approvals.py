"""The calls of functions that wait until the user allows them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .changes import STATE

if TYPE_CHECKING:
    from azml_magics.core.response import ToolRun

    from .changes import ChangeNotifier


class Approvals:
    """The calls that wait, the oldest first. Methods may be called from any thread.

    Args:
        panel: is told of changes.
    """

    def __init__(self, panel: ChangeNotifier) -> None:
        self._panel = panel
        self._waiting: list[tuple[ToolRun, Future[bool]]] = []
        self._allows_all = False

    @property
    def call(self) -> ToolRun | None:
        """The call that the user is asked about; None if none waits."""
        waiting = list(self._waiting)
        return waiting[0][0] if waiting else None

    async def ask(self, call: ToolRun) -> bool:
        """Return whether a call may run, once the user has said so."""
        if self._allows_all:
            return True
        entry = call, Future[bool]()
        with self._panel.changing(STATE):
            self._waiting.append(entry)
        try:
            return await asyncio.wrap_future(entry[1])
        finally:
            with self._panel.changing(STATE):
                self._waiting = [each for each in self._waiting if each is not entry]

    def allow(self, *, every: bool = False) -> None:
        """Let the oldest call run; with `every`, also those that wait and that follow in this run."""
        self._allows_all = every
        self._answer(allowed=True, count=len(self._waiting) if every else 1)

    def refuse(self) -> None:
        """Do not let the oldest call run; the model is told."""
        self._answer(allowed=False)

    def reset(self) -> None:
        """Ask again from now on: a new run begins."""
        self._allows_all = False

    def _answer(self, *, allowed: bool, count: int = 1) -> None:
        with self._panel.changing(STATE):
            answered, self._waiting = self._waiting[:count], self._waiting[count:]
        for _, future in answered:
            if not future.done():
                future.set_result(allowed)

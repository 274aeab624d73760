"""Responses that do not become a cell's result, as in a loop or a function: they are shown all the same.

IPython shows the last expression of a cell. A magic cannot see whether its value is that one; what it can see is
whether its caller drops the value. Everything else waits until the value is shown, or else until the cell ends.
"""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

_DROPPING = ("POP_TOP", "STORE_NAME", "STORE_FAST", "STORE_GLOBAL", "STORE_DEREF")
_SHOWN_TYPES = {"azml_magics.core.response.Response", "azml_magics.compare.comparison.Batch"}  # named: not imported
_LIBRARIES = ("IPython.", "azml_magics.", "decorator")


class UnshownResponses:
    """The responses and tables of a cell that nothing has shown yet."""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def add(self, value: Any) -> None:
        """Show what a magic returns: at once if its caller drops it, else at the end of the cell unless it was shown.

        Args:
            value: What the magic returns; anything but a response or a table of responses is left alone.
        """
        if not _is_response(value):
            return
        if is_value_dropped(_find_caller()):
            _display(value)
        else:
            self._waiting.append(value)

    def note_shown(self, value: Any) -> None:
        """Note that IPython shows a value."""
        self._waiting = [waiting for waiting in self._waiting if waiting is not value]

    def show_all(self, _result: object = None) -> None:
        """Show what is left: what IPython calls after every cell."""
        left, self._waiting = self._waiting, []
        for value in left:
            _display(value)

    def install(self, ipython: InteractiveShell) -> None:
        """Call `show_all` after every cell of `ipython`."""
        ipython.events.register("post_run_cell", self.show_all)  # type: ignore[no-untyped-call,unused-ignore]  # typed later

    def uninstall(self, ipython: InteractiveShell) -> None:
        """Undo `install`."""
        self._waiting.clear()
        if self.show_all in ipython.events.callbacks["post_run_cell"]:
            ipython.events.unregister("post_run_cell", self.show_all)  # type: ignore[no-untyped-call,unused-ignore]  # typed later


def is_value_dropped(caller: FrameType | None) -> bool:
    """Return whether a frame drops, or only stores, the value of the call that it is in.

    Args:
        caller: The frame; None if there is none.
    """
    if caller is None:
        return False
    following = (step for step in dis.get_instructions(caller.f_code) if step.offset > caller.f_lasti)
    step = next((step for step in following if step.opname not in {"CACHE", "EXTENDED_ARG"}), None)
    return step is not None and step.opname in _DROPPING


def _find_caller() -> FrameType | None:
    """Return the user's frame that called the magic."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, for lack of another way
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_LIBRARIES):
        frame = frame.f_back
    return frame


def _is_response(value: Any) -> bool:
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__}
    return not kinds.isdisjoint(_SHOWN_TYPES)


def _display(value: Any) -> None:
    from IPython.display import display

    display(value)  # type: ignore[no-untyped-call,unused-ignore]  # typed later

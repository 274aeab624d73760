"""The one throttled live display: an output that is updated in place while a result grows.

nbval ignores display updates and compares a display's first payload with its last. So a live display starts and ends
empty: with empty Markdown, because exported pages show an empty text as a box, and warn of an output without any
type. What lasts is an output of its own: the cell's result or, after an interrupt, what had arrived.

JupyterLab renders Markdown asynchronously, but an empty text at once: an update that is still being rendered would
write its text after that, which happens on a busy page and where the parser is just being loaded. An update of another
type in between makes JupyterLab throw the old output's element away, and the late text with it.

Nothing here knows IPython: what opens and publishes outputs is passed in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MIN_INTERVAL = 0.05  # seconds: at most 20 updates a second
_CHARACTERS_PER_SECOND = 400_000  # sent at most: a long output gets fewer updates
EMPTY: Mapping[str, str] = {"text/markdown": ""}
_BETWEEN: Mapping[str, str] = {"text/html": ""}  # the update of another type


class DisplayHandle(Protocol):
    """What IPython's `display(..., display_id=True)` returns."""

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Replace the content of the display."""


class OutputArea(Protocol):
    """Where outputs go: a notebook's cell, or a fake in tests."""

    def open_display(self) -> DisplayHandle:
        """The handle of a new, empty display."""

    def publish(self, data: Mapping[str, str]) -> None:
        """Show a mime bundle that stays."""


class Throttle:
    """Says when a display may be drawn again.

    Args:
        min_interval: Seconds between two drawings at least.
    """

    def __init__(self, min_interval: float = MIN_INTERVAL) -> None:
        self._min_interval = min_interval
        self._next = 0.0

    def is_due(self, size: int = 0) -> bool:
        """Whether to draw now; if so, the time until the next drawing begins.

        Args:
            size: Characters that the last drawing had: a long output gets fewer updates.
        """
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + max(self._min_interval, size / _CHARACTERS_PER_SECOND)
        return True


class LiveDisplay:
    """One output, updated in place, at most so often. It appears with the first update.

    Args:
        area: Where the output appears.
        min_interval: Seconds between two updates.
    """

    def __init__(self, area: OutputArea, *, min_interval: float = MIN_INTERVAL) -> None:
        self._area = area
        self._throttle = Throttle(min_interval)
        self._handle: DisplayHandle | None = None
        self._shown = EMPTY

    def open(self) -> None:
        """Make the empty output appear now."""
        self._handle = self._handle or self._area.open_display()

    def update(self, render: Callable[[], Mapping[str, str]]) -> None:
        """Show the mime bundle that `render` returns; if the last update was just now, do not call it."""
        if self._throttle.is_due(sum(map(len, self._shown.values()))):
            self._show(render())

    def update_now(self, data: Mapping[str, str]) -> None:
        """Show a mime bundle at once, whenever the last update was."""
        self._show(data)

    def clear(self) -> None:
        """Leave the output empty."""
        if self._handle is not None and self._shown != EMPTY:
            if "text/markdown" in self._shown:
                self._show(_BETWEEN)
            self._show(EMPTY)

    def keep(self, data: Mapping[str, str]) -> None:
        """Show `data` as an output that stays, in place of this one."""
        self.clear()
        self._area.publish(data)

    def _show(self, data: Mapping[str, str]) -> None:
        if data != self._shown:
            self.open()
            assert self._handle is not None
            self._handle.update(dict(data), raw=True)
            self._shown = data

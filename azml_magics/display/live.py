"""The one throttled live display: an output that is updated in place while a result grows.

nbval ignores display updates and compares a display's first payload with its last. So a live display starts and ends
empty, and what lasts is an output of its own: the cell's result or, after an interrupt, what had arrived.

Nothing here knows IPython: what opens and publishes outputs is passed in.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from ..core.text import printable, replace_surrogates
from .markdown import make_inert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.response import Response

MIN_INTERVAL = 0.05  # seconds: at most 20 updates a second
_CHARACTERS_PER_SECOND = 400_000  # sent at most: a long output gets fewer updates
EMPTY: Mapping[str, str] = {"text/plain": ""}


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

    def clear(self) -> None:
        """Leave the output empty."""
        if self._handle is not None:
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


class LiveText(Protocol):
    """The text of a response while it arrives."""

    def add(self, text: str) -> None:
        """Show more text."""

    def replace(self, text: str) -> None:
        """Show `text` in place of the text so far: an object that grows."""

    def finish(self, response: Response) -> None:
        """Give way to the whole response, which becomes the cell's result."""

    def keep(self) -> None:
        """Leave the text so far on the screen: the response ended early."""


class NotebookText:
    """A LiveText as Markdown in a LiveDisplay.

    Args:
        area: Where the output appears.
    """

    def __init__(self, area: OutputArea) -> None:
        self._display = LiveDisplay(area)
        self._text = ""

    def add(self, text: str) -> None:
        """Show more text, now or with the next update."""
        self.replace(self._text + text)

    def replace(self, text: str) -> None:
        """Show `text` in place of the text so far."""
        self._text = text
        if text:
            self._display.update(self._bundle)

    def finish(self, response: Response) -> None:  # noqa: ARG002 - what LiveText has; the result shows it
        """Leave the display empty: the response becomes the cell's result."""
        self._display.clear()

    def keep(self) -> None:
        """Leave the text so far as an output that stays."""
        if self._text:
            self._display.keep(self._bundle())

    def _bundle(self) -> dict[str, str]:
        text = replace_surrogates(self._text)
        return {"text/plain": text, "text/markdown": make_inert(text)}


class TerminalText:
    """A LiveText on standard output, each piece written once. Text that is replaced is written when it is whole.

    Args:
        on_finish: Called with the response once its text is on the screen.
    """

    def __init__(self, on_finish: Callable[[Response], None] | None = None) -> None:
        self._on_finish = on_finish
        self._unwritten = ""
        self._is_empty = True

    def add(self, text: str) -> None:
        """Write more text now."""
        self._unwritten += text
        self._write()

    def replace(self, text: str) -> None:
        """Write `text` at the end, unless another one replaces it."""
        self._unwritten = text

    def finish(self, response: Response) -> None:
        """Write the rest, and end the line."""
        self._write()
        sys.stdout.write("\n")
        if self._on_finish is not None:
            self._on_finish(response)

    def keep(self) -> None:
        """Write the rest; end the line if there is any text."""
        self._write()
        sys.stdout.write("" if self._is_empty else "\n")

    def _write(self) -> None:
        self._is_empty = self._is_empty and not self._unwritten
        sys.stdout.write(printable(self._unwritten))
        sys.stdout.flush()
        self._unwritten = ""

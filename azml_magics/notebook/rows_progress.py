"""The progress bar of --each, in a terminal or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.display.live import LiveDisplay, Throttle
from azml_magics.rows.progress import Bar

from . import publishing

if TYPE_CHECKING:
    from azml_magics.rows.progress import Progress

_MIN_INTERVAL = 0.1  # seconds between two frames of the bar


class RowsProgress:
    """A context manager that draws the progress it is called with, and leaves nothing on the screen.

    Args:
        shell: IPython's shell.
        quiet: Whether to draw nothing.
    """

    def __init__(self, shell: Any, *, quiet: bool) -> None:
        is_terminal = publishing.is_terminal(shell)
        self._bar = Bar() if is_terminal and not quiet else None
        self._throttle = Throttle(_MIN_INTERVAL)
        self._live = None if is_terminal or quiet else LiveDisplay(publishing.CellOutput(), min_interval=_MIN_INTERVAL)

    def __call__(self, progress: Progress) -> None:
        """Draw the progress, at most ten times a second."""
        if self._bar is not None and self._throttle.is_due():
            self._bar(progress)
        if self._live is not None:
            self._live.update(lambda: {"text/plain": self._text(progress)})

    def _text(self, progress: Progress) -> str:
        """What a notebook shows."""
        return f"{progress.bar()} {progress}".strip()

    def __enter__(self) -> RowsProgress:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.clear()
        if self._live is not None:
            self._live.clear()

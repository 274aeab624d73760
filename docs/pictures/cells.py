"""Pictures of a cell while it runs: one that moves, and one of a progress bar."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from .scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FloatRect

    from tests.browser.notebook_page import NotebookPage

    from .files import Frame

_HEIGHT: Final = 230  # pixels of the animation, in which the whole response has room
_FIRST, _LAST = 1200, 4000  # milliseconds that the first and the last frame are shown
_PAUSE: Final = 0.12  # seconds between two frames
_DONE = re.compile(r"\[\d+\]:")


@dataclass(frozen=True)
class Streaming(Scene):
    """The second cell while its response streams in, as an animation."""

    suffix: ClassVar[str] = ".gif"

    def prepare(self, notebook: NotebookPage) -> None:
        """Run the first cell."""
        notebook.run(0)

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Run the cell and write what it looks like meanwhile."""
        from playwright.sync_api import expect

        from .files import write_animation

        notebook.command("notebook:clear-all-cell-outputs")
        expect(notebook.page.locator(".jp-Cell-outputArea .jp-OutputArea-child")).to_have_count(0)
        self._leave_cells(notebook)
        area: FloatRect = {**self._area(notebook), "height": _HEIGHT}
        frames: list[Frame] = [(notebook.page.screenshot(clip=area), _FIRST)]
        notebook.start(1)
        while not _DONE.fullmatch(notebook.prompt(1).inner_text()):
            started = time.monotonic()
            frame = notebook.page.screenshot(clip=area)
            time.sleep(max(0.0, _PAUSE - (time.monotonic() - started)))
            if frame != frames[-1][0]:
                frames.append((frame, int(_PAUSE * 1000)))
        self._leave_cells(notebook)
        frames.append((notebook.page.screenshot(clip=area), _LAST))
        write_animation(path, frames)


@dataclass(frozen=True)
class Progress(Scene):
    """The second cell when a good half of its rows have a response."""

    def prepare(self, notebook: NotebookPage) -> None:
        """Run the first cell."""
        notebook.run(0)

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Run the cell, write the picture in the middle of its run, and wait for its end."""
        from playwright.sync_api import expect

        notebook.start(1)
        self._leave_cells(notebook)
        expect(notebook.outputs(1).last).to_have_text(re.compile(r"\b[345]\d (of|/) ?\d+"))
        super().shoot(notebook, path)
        expect(notebook.prompt(1)).to_have_text(_DONE)

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
_ENDED = re.compile(r"\[\d+\]:")
DONE: Final = 32  # rows that have a response when the picture of the progress is taken


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
        while not _ENDED.fullmatch(notebook.prompt(1).inner_text()):
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
    """The second cell when `DONE` of its rows have a response: the first cell lets the endpoint stop there."""

    def prepare(self, notebook: NotebookPage) -> None:
        """Do nothing: the first cell is run for each picture."""

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Run the cells, write the picture in the middle of the run, and interrupt it."""
        from playwright.sync_api import expect

        notebook.run(0)
        notebook.start(1)
        self._leave_cells(notebook)
        expect(notebook.outputs(1).last).to_contain_text(f"{DONE} of ")
        super().shoot(notebook, path)
        notebook.command("notebook:interrupt-kernel")
        expect(notebook.prompt(1)).to_have_text(_ENDED)

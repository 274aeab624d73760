"""What a picture shows: the cells of a notebook, what is done with them, and the part of the window that is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FloatRect

    from tests.browser.notebook_page import NotebookPage


@dataclass(frozen=True)
class Scene:
    """Cells with their outputs. The first cell, which sets up what the others need, is not in the picture.

    Attributes:
        name: the files are NAME-light and NAME-dark.
        cells: the sources of the notebook's cells.
        window: the width and the height of the window in pixels.
    """

    name: str
    cells: tuple[str, ...]
    window: tuple[int, int] = (900, 1400)

    suffix: ClassVar[str] = ".png"
    has_plain_cells: ClassVar[bool] = True  # whether JupyterLab's marks of the active cell are left out

    def file_name(self, theme: str) -> str:
        """The name of the picture's file in a theme, "light" or "dark"."""
        return f"{self.name}-{theme}{self.suffix}"

    def prepare(self, notebook: NotebookPage) -> None:
        """Do what comes before the first picture: run all cells."""
        for index in range(len(self.cells)):
            notebook.run(index)

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Write the picture in the theme that is set."""
        from .files import write_still

        self._leave_cells(notebook)
        write_still(path, notebook.page.screenshot(clip=self._area(notebook), animations="disabled"))

    @staticmethod
    def _leave_cells(notebook: NotebookPage) -> None:
        """Take the focus and the mouse away."""
        notebook.command("notebook:enter-command-mode")
        notebook.page.mouse.move(0, 0)

    def _area(self, notebook: NotebookPage) -> FloatRect:
        """The second to the last cell, without the line around the first one."""
        first, last = notebook.cell(1).bounding_box(), notebook.cell(len(self.cells) - 1).bounding_box()
        if first is None or last is None:
            raise RuntimeError(f"The cells of {self.name} are not visible")
        top = first["y"] + 2
        return {"x": first["x"], "y": top, "width": first["width"], "height": last["y"] + last["height"] - top}

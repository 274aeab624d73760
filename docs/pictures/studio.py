"""Where the pictures are taken: one JupyterLab server and one Chromium; every scene has a window of its own."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.lab_server import LabServer
from tests.browser.notebook_page import NotebookPage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from playwright.sync_api import Browser

    from .scene import Scene

PATIENCE = 60_000  # milliseconds: the machine may be busy
SCALE = 1.5  # pixels of a picture for each of the page
# The active cell has a frame, a bar and buttons, which come and go with the focus.
_PLAIN_CELLS = """
.jp-cell-toolbar, .jp-Collapser { visibility: hidden !important; }
.jp-Notebook .jp-Cell, .jp-Notebook .jp-Cell::before {
  border-color: transparent !important; box-shadow: none !important; }
.jp-InputPrompt, .jp-OutputPrompt { color: var(--jp-ui-font-color2) !important; opacity: 0.7 !important; }
"""


class Studio:
    """The server and the browser, running while the context is open."""

    def __init__(self) -> None:
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Studio:
        expect.set_options(timeout=PATIENCE)
        folder = Path(self._running.enter_context(tempfile.TemporaryDirectory()))
        playwright = self._running.enter_context(sync_playwright())
        self._server = LabServer("lab", folder / "lab")
        self._running.callback(self._server.stop)
        arguments = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        self._browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        self._running.callback(self._browser.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()

    def take(self, scene: Scene, folder: Path) -> list[Path]:
        """Take a scene's pictures, light and dark, and return their paths."""
        with self._open(scene) as notebook:
            scene.prepare(notebook)
            paths = []
            for theme in ("light", "dark"):
                notebook.use_theme(dark=theme == "dark")
                paths.append(folder / scene.file_name(theme))
                scene.shoot(notebook, paths[-1])
            notebook.use_theme(dark=False)  # the server remembers it
        return paths

    @contextlib.contextmanager
    def _open(self, scene: Scene) -> Iterator[NotebookPage]:
        """Open a scene's notebook in a window of its own, whose kernel ends with it."""
        width, height = scene.window
        context = self._browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=SCALE)
        context.set_default_timeout(PATIENCE)
        self._server.write(f"{scene.name}.ipynb", *scene.cells)
        page = context.new_page()
        try:
            notebook = NotebookPage(page, self._server, f"{scene.name}.ipynb")
            notebook.command("application:toggle-left-area")
            if scene.has_plain_cells:
                page.add_style_tag(content=_PLAIN_CELLS)
            yield notebook
            page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll().then(() => null)")
        finally:
            context.close()

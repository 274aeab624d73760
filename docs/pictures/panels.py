"""Pictures of the panel, in a notebook and beside it, and of the viewer of responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.notebook_page import NotebookPage
    from tests.browser.panel_page import PanelPage

SIDE_PANEL_EDGE = 820  # pixels from the left, to which its border is dragged


@dataclass(frozen=True)
class PanelScene(Scene):
    """The panel after a prompt with a variable, a system message and two kwargs.

    Attributes:
        width: of the panel in pixels: a notebook's is 1200, a side panel's 280.
    """

    width: int = 1200

    def prepare(self, notebook: NotebookPage) -> None:
        """Open the panel and run a prompt in it."""
        from playwright.sync_api import expect

        super().prepare(notebook)
        panel = self._panel(notebook)
        panel.field("System").fill("Answer in one word: billing, delivery, returns or other.")
        panel.row("temperature").get_by_role("textbox").fill("0")
        panel.type("max_tokens", "5")
        response = panel.run_prompt("Which department should answer this letter? {letter}")
        expect(response).to_contain_text("billing")

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Write the panel without focus or hover."""
        from .files import write_still

        panel = self._panel(notebook)
        panel.root.evaluate("(panel, width) => { panel.style.maxWidth = `${width}px`; }", self.width)
        panel.page.evaluate("document.activeElement.blur()")
        panel.page.mouse.move(0, 0)
        write_still(path, panel.root.screenshot(animations="disabled"))

    @staticmethod
    def _panel(notebook: NotebookPage) -> PanelPage:
        from tests.browser.panel_page import PanelPage

        return PanelPage(notebook.page)


@dataclass(frozen=True)
class SidePanel(Scene):
    """The whole window: a notebook with prompts, and the panel beside it."""

    has_plain_cells: ClassVar[bool] = False

    def prepare(self, notebook: NotebookPage) -> None:
        """Run the cells and open the panel."""
        from playwright.sync_api import expect

        super().prepare(notebook)
        page = notebook.page
        notebook.command("azml-magics:open-panel")
        expect(page.locator("#azml-magics-panel .azml-panel")).to_be_visible()
        handle = page.locator(".lm-SplitPanel-handle:visible").last.bounding_box()
        if handle is None:
            raise RuntimeError("The border of the side panel is not visible")
        page.mouse.move(handle["x"] + 1, 300)
        page.mouse.down()
        page.mouse.move(SIDE_PANEL_EDGE, 300)
        page.mouse.up()

    def shoot(self, notebook: NotebookPage, path: Path) -> None:
        """Write the window with a prompt's cell as the active one."""
        from .files import write_still

        notebook.select(2)
        notebook.command("notebook:enter-command-mode")
        notebook.cell(0).scroll_into_view_if_needed()
        notebook.page.mouse.move(0, 0)
        write_still(path, notebook.page.screenshot(animations="disabled"))


@dataclass(frozen=True)
class Viewer(Scene):
    """A response as the code of its call, and responses sorted by their tokens."""

    def prepare(self, notebook: NotebookPage) -> None:
        """Run the cells, open the tab and sort."""
        from playwright.sync_api import expect

        super().prepare(notebook)
        notebook.cell(2).get_by_role("tab", name="Code").click()
        expect(notebook.cell(2).get_by_role("button", name="LangChain")).to_be_visible()
        notebook.cell(3).get_by_role("button", name="tokens").click()

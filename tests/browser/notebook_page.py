"""A notebook in the browser, as a person has it before them: its cells, its kernel, the panels beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .lab_server import LabServer

KERNEL_PATIENCE = 90_000  # milliseconds
_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


class NotebookPage:
    """One notebook of `server`, open in `page`. The layout that an earlier test left is forgotten.

    with_kernel: wait for its kernel; without, the notebook must ask for one, and "No Kernel" is chosen.
    """

    def __init__(self, page: Page, server: LabServer, name: str, *, with_kernel: bool = True) -> None:
        self.page, self.server, self.name = page, server, name
        page.goto(server.url(f"notebooks/{name}" if server.app == "notebook" else f"lab/tree/{name}?reset"))
        self._until_shown()
        if with_kernel:
            self.wait_for_kernel()
        else:
            self._choose_no_kernel()

    def _until_shown(self) -> None:
        self.page.locator(".jp-Notebook:visible").first.wait_for(timeout=KERNEL_PATIENCE)

    def _choose_no_kernel(self) -> None:
        dialog = self.page.locator(".jp-Dialog")
        dialog.locator("select").first.select_option(label="No Kernel")
        dialog.get_by_role("button", name="Select").click()
        dialog.wait_for(state="detached")

    def reload(self) -> None:
        """Load the page again: the kernel lives on."""
        self.page.reload()
        self._until_shown()
        self.wait_for_kernel()

    def close(self) -> None:
        """Save it and close its tab: the kernel lives on."""
        self.command("docmanager:save")
        self.command("application:close")

    def wait_for_kernel(self) -> None:
        """Until the kernel is connected and idle: a cell that is run before is silently not run."""
        self.page.wait_for_function(_IDLE, timeout=KERNEL_PATIENCE)

    def command(self, command: str, **arguments: Any) -> None:
        """Do what a menu item does, by its command's id."""
        call = "([command, given]) => window.jupyterapp.commands.execute(command, given).then(() => null)"
        self.page.evaluate(call, [command, arguments])

    def use_theme(self, *, dark: bool) -> None:
        """JupyterLab's own light or dark theme."""
        self.command("apputils:change-theme", theme="JupyterLab Dark" if dark else "JupyterLab Light")
        self.page.locator(f'body[data-jp-theme-light="{"false" if dark else "true"}"]').wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    # ---- cells

    @property
    def cells(self) -> Locator:
        """The cells of the notebook in front."""
        return self.page.locator(".jp-Notebook:visible .jp-Cell")

    def cell(self, index: int) -> Locator:
        """One cell, counted from 0."""
        return self.cells.nth(index)

    def editor(self, index: int) -> Locator:
        """The text of a cell."""
        return self.cell(index).locator(".jp-InputArea .cm-content")

    def prompt(self, index: int) -> Locator:
        """What stands before a cell: "[ ]:", "[*]:", "[3]:"."""
        return self.cell(index).locator(".jp-InputArea-prompt")

    def outputs(self, index: int) -> Locator:
        """What stands below a cell, without the prompts before it."""
        return self.cell(index).locator(".jp-Cell-outputArea .jp-OutputArea-output")

    def select(self, index: int) -> None:
        """Make a cell the active one, and write in it."""
        self.editor(index).click()

    def start(self, index: int) -> None:
        """Run a cell, and do not wait for its end."""
        self.select(index)
        self.page.keyboard.press("Control+Enter")

    def run(self, index: int, *, patience: float = KERNEL_PATIENCE) -> Locator:
        """Run a cell and wait for its end, `patience` milliseconds at most; its outputs."""
        from playwright.sync_api import expect

        before = self.prompt(index).inner_text()
        self.start(index)
        if re.search(r"\d", before):
            expect(self.prompt(index)).not_to_have_text(before, timeout=patience)
        expect(self.prompt(index)).to_have_text(re.compile(r"\[\d+\]:"), timeout=patience)
        return self.outputs(index)

    # ---- the kernel

    def has_subshells(self) -> bool:
        """Whether the kernel answers beside a running cell: JupyterLab 4.4 and ipykernel 7, or later."""
        kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        return bool(self.page.evaluate(f"{kernel}.info.then(() => {kernel}.supportsSubshells)"))

    def restart_kernel(self) -> None:
        """Restart it, without a question."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel().then(() => null)")

    def change_kernel(self, name: str) -> None:
        """Choose another kernel; "" for none."""
        context = "window.jupyterapp.shell.currentWidget.sessionContext"
        changed = f"{context}.changeKernel({{name}})" if name else f"{context}.shutdown()"
        self.page.evaluate(f"name => {changed}.then(() => null)", name)

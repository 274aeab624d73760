"""A notebook in the browser: its cells and its kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .lab_server import LabServer

KERNEL_TIMEOUT = 90_000  # milliseconds
_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


class NotebookPage:
    """One notebook of a server, opened in a page with a fresh layout.

    Args:
        page: the page.
        server: the server that has the notebook.
        name: the notebook's file name.
        with_kernel: whether to wait for its kernel; if not, the notebook must ask for one, and "No Kernel" is chosen.
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
        self.page.locator(".jp-Notebook:visible").first.wait_for(timeout=KERNEL_TIMEOUT)

    def _choose_no_kernel(self) -> None:
        dialog = self.page.locator(".jp-Dialog")
        dialog.locator("select").first.select_option(label="No Kernel")
        dialog.get_by_role("button", name="Select").click()
        dialog.wait_for(state="detached")

    def reload(self) -> None:
        """Reload the page; the kernel keeps running."""
        self.page.reload()
        self._until_shown()
        self.wait_for_kernel()

    def close(self) -> None:
        """Save the notebook and close its tab; the kernel keeps running."""
        self.command("docmanager:save")
        self.command("application:close")

    def wait_for_kernel(self) -> None:
        """Wait until the kernel is connected and idle: JupyterLab silently ignores a cell that is run earlier."""
        self.page.wait_for_function(_IDLE, timeout=KERNEL_TIMEOUT)

    def command(self, command: str, **arguments: Any) -> None:
        """Execute a JupyterLab command by its id."""
        call = "([command, given]) => window.jupyterapp.commands.execute(command, given).then(() => null)"
        self.page.evaluate(call, [command, arguments])

    def use_theme(self, *, dark: bool) -> None:
        """Switch to JupyterLab's light or dark theme."""
        self.command("apputils:change-theme", theme="JupyterLab Dark" if dark else "JupyterLab Light")
        self.page.locator(f'body[data-jp-theme-light="{"false" if dark else "true"}"]').wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    # ---- cells

    @property
    def cells(self) -> Locator:
        """The cells of the current notebook."""
        return self.page.locator(".jp-Notebook:visible .jp-Cell")

    def cell(self, index: int) -> Locator:
        """One cell, counted from 0."""
        return self.cells.nth(index)

    def editor(self, index: int) -> Locator:
        """The text of a cell."""
        return self.cell(index).locator(".jp-InputArea .cm-content")

    def prompt(self, index: int) -> Locator:
        """The prompt before a cell: "[ ]:", "[*]:", "[3]:"."""
        return self.cell(index).locator(".jp-InputArea-prompt")

    def outputs(self, index: int) -> Locator:
        """The outputs of a cell, without their prompts."""
        return self.cell(index).locator(".jp-Cell-outputArea .jp-OutputArea-output")

    def select(self, index: int) -> None:
        """Put the cursor into a cell."""
        self.editor(index).click()

    def start(self, index: int) -> None:
        """Run a cell without waiting for its end."""
        self.select(index)
        self.page.keyboard.press("Control+Enter")

    def run(self, index: int, *, timeout: float = KERNEL_TIMEOUT) -> Locator:
        """Run a cell and wait for its end, `timeout` milliseconds at most, and return its outputs."""
        from playwright.sync_api import expect

        before = self.prompt(index).inner_text()
        self.start(index)
        if re.search(r"\d", before):
            expect(self.prompt(index)).not_to_have_text(before, timeout=timeout)
        expect(self.prompt(index)).to_have_text(re.compile(r"\[\d+\]:"), timeout=timeout)
        return self.outputs(index)

    # ---- the kernel

    def has_subshells(self) -> bool:
        """Whether the kernel responds while a cell runs: JupyterLab 4.4 and ipykernel 7, or later."""
        kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        return bool(self.page.evaluate(f"{kernel}.info.then(() => {kernel}.supportsSubshells)"))

    def restart_kernel(self) -> None:
        """Restart the kernel without a confirmation."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel().then(() => null)")

    def change_kernel(self, name: str) -> None:
        """Switch to another kernel; "" for none."""
        context = "window.jupyterapp.shell.currentWidget.sessionContext"
        changed = f"{context}.changeKernel({{name}})" if name else f"{context}.shutdown()"
        self.page.evaluate(f"name => {changed}.then(() => null)", name)

"""The panel in a notebook: its fields by their labels, its buttons, folds and tabs by their names."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from .notebook_page import NotebookPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .lab_server import LabServer

MENU = ("New", "Keep", "Save as", "Revert", "Import", "Export")
RESPONSE_TIMEOUT = 30_000  # milliseconds

# `faulty` is an endpoint whose next responses a cell can make fail.
SETUP = """
%unload_ext azml_magics
%load_ext azml_magics
import os
from azml_magics.emulator import Emulator, Fault
run = lambda line: get_ipython().run_line_magic("azureml", line)
run("demo")
if "faulty" in globals(): faulty.stop()
faulty = Emulator(key=os.environ["AZML_DEMO_KEY"], rate=100).start()
run(f"save faulty --url {faulty.url}/v1/chat/completions -f openai-chat --key env:AZML_DEMO_KEY")
run("use demo")
topic = "sparkling water"
"ready"
""".strip()
SHOW = "%azureml panel"


class PanelPage:
    """One view of the panel in `page`; several may show the same panel."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.root = page.locator(".azml-panel:visible").nth(index)

    # ---- finding

    def field(self, label: str) -> Locator:
        """The control with that label."""
        return self.root.get_by_label(label, exact=True)

    def button(self, name: str) -> Locator:
        """The button of that name, the last one if there are several; the menu is opened for one of its own."""
        if name in MENU and self.button("More").get_attribute("aria-expanded") != "true":
            self.button("More").click()
        named = re.compile(rf"(^|\W){re.escape(name)}$")  # the icon is a character of the name
        return self.root.get_by_role("button", name=named).locator("visible=true").last

    def slider(self, kwarg: str) -> Locator:
        """The slider of a kwarg."""
        return self.row(kwarg).get_by_role("slider")

    def row(self, kwarg: str) -> Locator:
        """The row of a kwarg, with its slider and its reset button."""
        return self.root.locator(".azml-row").filter(has=self.page.get_by_text(kwarg, exact=True))

    @property
    def lines(self) -> Locator:
        """The visible status lines."""
        return self.root.locator(".azml-line:visible")

    @property
    def result(self) -> Locator:
        """The content of the selected tab."""
        return self.root.locator(".jupyter-widget-TabPanel-tabContents > :visible").first

    @property
    def cell(self) -> Locator:
        """The cell that does the same."""
        return self.field("As a cell")

    # ---- doing

    def type(self, label: str, text: str) -> None:
        """Replace a field's text and press Enter."""
        self.field(label).fill(text)
        self.field(label).press("Enter")

    def open(self, fold: str) -> None:
        """Open a section, unless it is open."""
        header = self.root.locator(".jupyter-widget-Collapse-header").filter(has_text=re.compile(f"^{fold}"))
        if header.locator(".fa-caret-right").count():
            header.click()

    def open_all(self) -> None:
        """Open every section, those within others too."""
        closed = self.root.locator(".jupyter-widget-Collapse-header:visible:has(.fa-caret-right)")
        while closed.count():
            closed.first.click()
            self.settles()

    def tab(self, name: str) -> Locator:
        """Select a result tab and return its content."""
        self.root.get_by_role("tab", name=name, exact=True).click()
        return self.result

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until a status line contains `text`."""
        from playwright.sync_api import expect

        expect(self.lines.filter(has_text=text).first).to_be_visible(timeout=RESPONSE_TIMEOUT)

    def ends(self) -> None:
        """Wait until nothing is running."""
        from playwright.sync_api import expect

        self.settles()
        expect(self.button("Stop")).to_be_disabled(timeout=RESPONSE_TIMEOUT)
        expect(self.button("Run")).to_be_enabled()

    def settles(self) -> None:
        """Wait until the kernel has handled all input so far."""
        self.page.wait_for_function("!document.querySelector('[data-azml-sending]')")
        token = str(time.monotonic())
        self.root.locator(".azml-asked input").evaluate(
            "(input, token) => { input.value = JSON.stringify([token]); "
            "input.dispatchEvent(new Event('input', {bubbles: true})); }",
            token,
        )
        self.page.wait_for_function(
            "token => document.querySelector('.azml-answered').textContent.includes(token)", arg=token
        )

    def run_prompt(self, prompt: str) -> Locator:
        """Type a prompt, run it, wait for its end and return the response."""
        self.tab("Response")
        self.field("Prompt").fill(prompt)
        self.says_in_cell(prompt)
        self.button("Run").click()
        self.ends()
        return self.result

    def says_in_cell(self, text: str) -> None:
        """Wait until the cell contains `text`: by then the kernel has received the input."""
        from playwright.sync_api import expect

        expect(self.cell).to_have_value(re.compile(re.escape(text)))


class PanelNotebook:
    """A notebook that shows the panel in its second cell; the third is free for other code."""

    def __init__(self, page: Page, server: LabServer) -> None:
        self.page = page
        self.path = server.write("panel.ipynb", SETUP, SHOW, "", "")
        self.notebook = NotebookPage(page, server, self.path.name)
        self.panel = PanelPage(page)

    def restart_session(self) -> None:
        """Start a new session with a new panel."""
        from playwright.sync_api import expect

        expect(self.notebook.run(0).filter(has_text="'ready'")).to_have_count(1)
        self.notebook.run(1)
        expect(self.panel.field("Prompt")).to_have_value("")
        expect(self.panel.root.get_by_text("Javascript Error")).to_have_count(0)  # of the panel's script

    def run(self, code: str, cell: int = 2) -> Locator:
        """Run code in the third cell, or in another one, and return the outputs."""
        self.page.evaluate(
            "([cell, code]) => jupyterapp.shell.currentWidget.content.widgets[cell].model.sharedModel.setSource(code)",
            [cell, code],
        )
        return self.notebook.run(cell)

    def save(self) -> str:
        """Save the notebook and return the text of its file."""
        self.notebook.command("docmanager:save")
        self.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
        return self.path.read_text()

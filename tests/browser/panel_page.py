"""The panel as it is seen in a notebook: its fields by their labels, its buttons, folds and tabs by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .notebook_page import NotebookPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .lab_server import LabServer

ANSWER_PATIENCE = 30_000  # milliseconds

# `faulty` is an endpoint whose next answers a cell can spoil.
SETUP = """
%reload_ext azml_magics
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
        """What is labelled so: a box, a list."""
        return self.root.get_by_label(label, exact=True)

    def button(self, name: str) -> Locator:
        """The button of that name; the last one where there are several of them."""
        named = re.compile(rf"(^|\W){re.escape(name)}$")  # its icon is a letter of its name
        return self.root.get_by_role("button", name=named).locator("visible=true").last

    def slider(self, kwarg: str) -> Locator:
        """The slider of a kwarg."""
        return self.row(kwarg).get_by_role("slider")

    def row(self, kwarg: str) -> Locator:
        """The line of a kwarg, with the slider and the button that takes it back."""
        return self.root.locator(".azml-row").filter(has=self.page.get_by_text(kwarg, exact=True))

    @property
    def lines(self) -> Locator:
        """What the panel says in words, wherever that is."""
        return self.root.locator(".azml-line:visible")

    @property
    def answer(self) -> Locator:
        """What stands in the tab in front."""
        return self.root.locator(".jupyter-widget-TabPanel-tabContents > :visible").first

    @property
    def cell(self) -> Locator:
        """The cell that would do the same."""
        return self.field("As a cell")

    # ---- doing

    def type(self, label: str, text: str) -> None:
        """Write `text` into a box in the place of what is there, and press Enter."""
        self.field(label).fill(text)
        self.field(label).press("Enter")

    def open(self, fold: str) -> None:
        """Open a section, unless it is open."""
        header = self.root.locator(".jupyter-widget-Collapse-header").filter(has_text=re.compile(f"^{fold}"))
        if header.locator(".fa-caret-right").count():
            header.click()

    def tab(self, name: str) -> Locator:
        """Take a result tab to the front; its contents."""
        self.root.get_by_role("tab", name=name, exact=True).click()
        return self.answer

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the panel says `text` in one of its lines."""
        from playwright.sync_api import expect

        expect(self.lines.filter(has_text=text).first).to_be_visible(timeout=ANSWER_PATIENCE)

    def ends(self) -> None:
        """Wait until nothing runs any more."""
        from playwright.sync_api import expect

        expect(self.button("Stop")).to_be_disabled(timeout=ANSWER_PATIENCE)
        expect(self.button("Run")).to_be_enabled()

    def ask(self, prompt: str) -> Locator:
        """Write a prompt, run it and wait for the end; the answer."""
        self.tab("Response")
        self.field("Prompt").fill(prompt)
        self.says_in_cell(prompt)
        self.button("Run").click()
        self.ends()
        return self.answer

    def says_in_cell(self, text: str) -> None:
        """Wait until the cell that would do the same holds `text`: until then, the kernel does not know of it."""
        from playwright.sync_api import expect

        expect(self.cell).to_have_value(re.compile(re.escape(text)))


class PanelNotebook:
    """A notebook that shows the panel in its second cell; the third is for whatever else there is to run."""

    def __init__(self, page: Page, server: LabServer) -> None:
        self.page = page
        self.path = server.write("panel.ipynb", SETUP, SHOW, "", "")
        self.notebook = NotebookPage(page, server, self.path.name)
        self.panel = PanelPage(page)

    def afresh(self) -> None:
        """A new session, and its panel."""
        from playwright.sync_api import expect

        expect(self.notebook.run(0).filter(has_text="'ready'")).to_have_count(1)
        self.notebook.run(1)
        expect(self.panel.field("Prompt")).to_have_value("")

    def run(self, code: str, cell: int = 2) -> Locator:
        """Run that in the third cell, or in the one that is said; its outputs."""
        self.page.evaluate(
            "([cell, code]) => jupyterapp.shell.currentWidget.content.widgets[cell].model.sharedModel.setSource(code)",
            [cell, code],
        )
        return self.notebook.run(cell)

    def saved(self) -> str:
        """The notebook's file, once it is saved."""
        self.notebook.command("docmanager:save")
        self.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
        return self.path.read_text()

"""The extension in Notebook 7: panel, prompts, viewer and commands."""

from __future__ import annotations

import pytest

from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect


def test_notebook7_has_prompts_viewer_panel_and_commands(page, notebook7, shot):
    notebook7.write(
        "a.ipynb", "%load_ext azml_magics\n%azureml demo", "%%azureml\nTell me about {place}", "place = 'rivers'"
    )
    notebook = NotebookPage(page, notebook7, "a.ipynb")
    prompt = notebook.editor(1)
    expect(prompt).to_have_attribute("data-language", "markdown")
    expect(prompt.locator(".azml-PromptCell-variable")).to_have_text(["{place}"])
    for index in (0, 2, 1):
        notebook.run(index)
    cell = notebook.cell(1)
    expect(cell.locator(".azml-Tabs-summary")).to_have_text("demo")
    cell.get_by_role("tab", name="Request").click()
    expect(cell.get_by_role("tabpanel", name="Request")).to_contain_text("Tell me about rivers")
    page.locator('[data-command="azml-magics:open-panel"]').locator("visible=true").first.click()
    expect(page.locator("#azml-magics-panel .azml-panel")).to_be_visible(timeout=60_000)
    shot("notebook7")
    page.locator(".lm-MenuBar-item", has_text="View").click()
    page.locator(".lm-Menu-item", has_text="Right Sidebar").hover()
    expect(page.locator(".lm-Menu-item", has_text="Azure ML").locator("visible=true").last).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    notebook.select(2)
    page.keyboard.press("Alt+Shift+I")
    expect(notebook.cells).to_have_count(4)
    expect(notebook.editor(3)).to_have_text("%%azureml")

"""Write docs/images/jupyterlab-*.png: prompts, side panel and response viewer in JupyterLab, light and dark.

Run from the checkout with what the browser tests need (CONTRIBUTING.md): python -m docs.screenshot_jupyterlab
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.lab_server import LabServer
from tests.browser.notebook_page import NotebookPage

IMAGES = Path(__file__).parent / "images"
DEMO = "%load_ext azml_magics\n%azureml demo;"
PROMPT = (
    '%%azureml demo-chat -p temperature=0.2 -s "You are terse."\n'
    "# A *rainy day* and {{literal}} braces\n\n"
    "Name three things to do on a rainy day in {city}."
)
SWEEP = "%%azureml --sweep temperature=0,0.7,1.2\nWrite a subject line for the spring newsletter."


def main() -> None:
    """Write the pictures: a notebook with its panel, a response's code, responses side by side."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer("lab", Path(folder, "lab"))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            server.write("prompts.ipynb", DEMO, 'city = "Lisbon"', PROMPT, SWEEP)
            page = browser.new_page(viewport={"width": 1200, "height": 720})
            notebook = NotebookPage(page, server, "prompts.ipynb")
            notebook.command("application:toggle-left-area")
            for index in range(4):
                notebook.run(index)
            _panel(notebook, page)
            _viewer(notebook, page)
        finally:
            browser.close()
            server.stop()


def _panel(notebook: NotebookPage, page: Page) -> None:
    notebook.command("azml-magics:open-panel")
    expect(page.locator("#azml-magics-panel .azml-panel")).to_be_visible(timeout=60_000)
    handle = page.locator(".lm-SplitPanel-handle:visible").last.bounding_box()
    assert handle
    page.mouse.move(handle["x"] + 1, 300)
    page.mouse.down()
    page.mouse.move(820, 300)
    page.mouse.up()
    notebook.select(2)
    notebook.command("notebook:enter-command-mode")
    notebook.cell(0).scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "jupyterlab-light.png")


def _viewer(notebook: NotebookPage, page: Page) -> None:
    notebook.command("application:toggle-right-area")
    notebook.use_theme(dark=True)
    notebook.cell(2).get_by_role("tab", name="Code").click()
    expect(notebook.cell(2).get_by_role("button", name="LangChain")).to_be_visible()
    notebook.cell(3).get_by_role("button", name="tokens").click()
    notebook.select(3)
    notebook.command("notebook:enter-command-mode")
    notebook.cell(3).locator("tbody").scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "jupyterlab-dark.png")


if __name__ == "__main__":
    main()

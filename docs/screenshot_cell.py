"""Write docs/images/cell.png: a prompt and its streamed response in JupyterLab, on the embedded endpoint.

Run from the checkout with what the browser tests need (CONTRIBUTING.md): python -m docs.screenshot_cell
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.lab_server import LabServer
from tests.browser.notebook_page import NotebookPage

PICTURE = Path(__file__).parent / "images" / "cell.png"
CELLS = (
    "%load_ext azml_magics\n%azureml demo",
    'city = "Lisbon"',
    '%%azureml -p temperature=0.2 -s "You are a calm guide." -o answer\n'
    "Name three things to do on a rainy day in {city}.",
    "answer.usage",
    "%%azureml --sweep temperature=0,0.7,1.2\nWrite a subject line for the spring newsletter.",
)


WIDTH, HEIGHT = 940, 1400


def main() -> None:
    """Write the picture of the cells with their responses."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer("lab", Path(folder, "lab"))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            server.write("cell.ipynb", *CELLS)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            notebook = NotebookPage(page, server, "cell.ipynb")
            notebook.command("application:toggle-left-area")
            for index in range(len(CELLS)):
                notebook.run(index)
            expect(notebook.outputs(len(CELLS) - 1).first).to_be_visible()
            _shoot(notebook)
        finally:
            browser.close()
            server.stop()


def _shoot(notebook: NotebookPage) -> None:
    """Take the picture without the first cell, which is made the active one and so gets JupyterLab's marks."""
    notebook.select(0)
    notebook.command("notebook:enter-command-mode")
    expect(notebook.page.locator(".jp-cell-toolbar:visible")).to_have_count(1)
    first, last = notebook.cell(1).bounding_box(), notebook.cell(len(CELLS) - 1).bounding_box()
    assert first
    assert last
    PICTURE.parent.mkdir(exist_ok=True)
    top = first["y"] + 2  # without the line around the cell above
    area = {"x": first["x"], "y": top, "width": first["width"], "height": last["y"] + last["height"] - top}
    notebook.page.screenshot(path=PICTURE, clip=area)


if __name__ == "__main__":
    main()

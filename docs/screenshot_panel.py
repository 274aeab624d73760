"""Write docs/images/panel-*.png: the panel after a prompt, wide and narrow, light and dark; and tutorial 05's picture.

Run from the checkout with what the browser tests need (CONTRIBUTING.md): python -m docs.screenshot_panel
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.lab_server import LabServer
from tests.browser.notebook_page import NotebookPage
from tests.browser.panel_page import PanelPage

IMAGES = Path(__file__).parent / "images"
TUTORIAL = Path(__file__).parents[1] / "notebooks" / "05_panel.ipynb"
PORT = 18765  # visible in the pictures, which should be the same every time
CELLS = (
    "%load_ext azml_magics\n"
    "import os\n"
    "from azml_magics.emulator import Emulator\n"
    f'os.environ["GUIDE_KEY"] = "demo"; endpoint = Emulator(key="demo", port={PORT}, rate=200).start()\n'
    "%azureml save guide --key env:GUIDE_KEY -f openai-chat "
    f"--url http://127.0.0.1:{PORT}/v1/chat/completions\n"
    "%azureml use guide",
    'city = "Lisbon"',
    "%azureml panel",
)
WIDE, NARROW = 1120, 300  # pixels: a notebook's width, and a side panel's


def main() -> None:
    """Write the four pictures, and one of them into the tutorial."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer("lab", Path(folder, "lab"))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            server.write("panel.ipynb", *CELLS)
            page = browser.new_page(viewport={"width": 1400, "height": 2400})
            notebook = NotebookPage(page, server, "panel.ipynb")
            notebook.command("application:toggle-left-area")
            for index in range(len(CELLS)):
                notebook.run(index)
            panel = PanelPage(page)
            _run_prompt(panel)
            for dark in (False, True):
                notebook.use_theme(dark=dark)
                for name, width in (("panel", WIDE), ("panel-narrow", NARROW)):
                    _shoot(panel, width, IMAGES / f"{name}-{'dark' if dark else 'light'}.png")
        finally:
            browser.close()
            server.stop()
    attach_picture()


def attach_picture() -> None:
    """Put the wide, light picture into the tutorial, and change nothing else in its file."""
    text = TUTORIAL.read_text(encoding="utf-8")
    attached = [each for cell in json.loads(text)["cells"] for each in cell.get("attachments", {}).values()]
    (before,) = [each["image/png"] for each in attached]
    picture = base64.b64encode((IMAGES / "panel-light.png").read_bytes()).decode()
    TUTORIAL.write_text(text.replace(before, picture), encoding="utf-8")


def _run_prompt(panel: PanelPage) -> None:
    """Run a prompt with a variable, a temperature, a limit and a stop sequence."""
    panel.row("temperature").get_by_role("textbox").fill("0.7")
    panel.type("max_tokens", "120")
    panel.open("Other model kwargs")
    panel.type("stop", "---")
    expect(panel.row("stop").locator(".jupyter-widget-tag-close")).to_be_visible()
    response = panel.run_prompt("Name three things to do on a rainy day in {city}.")
    expect(response).to_contain_text("tram 28")


def _shoot(panel: PanelPage, width: int, path: Path) -> None:
    """Take a picture of the panel at that width, without focus or hover."""
    path.parent.mkdir(exist_ok=True)
    panel.root.evaluate("(panel, width) => { panel.style.maxWidth = `${width}px`; }", width)
    panel.page.evaluate("document.activeElement.blur()")
    panel.page.mouse.move(0, 0)
    panel.root.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    main()

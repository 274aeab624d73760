"""Write docs/images/panel-*.png: the panel after a prompt, in four widths, light and dark; and tutorial 05's picture.

Run from the checkout with what the browser tests need (CONTRIBUTING.md): python -m docs.screenshot_panel
With a folder as its argument it writes the pictures there, with every fold open as well, and leaves the tutorial alone.
"""

from __future__ import annotations

import base64
import json
import sys
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
    'letter = "I was charged twice for my order, please check my card."',
    "%azureml panel",
)
WIDTHS = {
    "panel": 1200,
    "panel-700": 700,
    "panel-360": 360,
    "panel-narrow": 280,
}  # pixels: a notebook's to a side panel's


def main(folder: str = "") -> None:
    """Write the pictures, and one of them into the tutorial."""
    images = Path(folder) if folder else IMAGES
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        server = LabServer("lab", Path(temporary, "lab"))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            server.write("panel.ipynb", *CELLS)
            page = browser.new_page(viewport={"width": 1500, "height": 4200})
            notebook = NotebookPage(page, server, "panel.ipynb")
            notebook.command("application:toggle-left-area")
            for index in range(len(CELLS)):
                notebook.run(index)
            panel = PanelPage(page)
            _run_prompts(panel)
            _shoot_all(notebook, panel, images, "")
            if folder:
                panel.open_all()
                _shoot_all(notebook, panel, images, "-open")
        finally:
            browser.close()
            server.stop()
    if not folder:
        attach_picture()


def attach_picture() -> None:
    """Put the wide, light picture into the tutorial, and change nothing else in its file."""
    text = TUTORIAL.read_text(encoding="utf-8")
    attached = [each for cell in json.loads(text)["cells"] for each in cell.get("attachments", {}).values()]
    (before,) = [each["image/png"] for each in attached]
    picture = base64.b64encode((IMAGES / "panel-light.png").read_bytes()).decode()
    TUTORIAL.write_text(text.replace(before, picture), encoding="utf-8")


def _run_prompts(panel: PanelPage) -> None:
    """Run a prompt with a variable, a system message and a temperature."""
    panel.field("System").fill("Answer in one word: billing, delivery, returns or other.")
    panel.row("temperature").get_by_role("textbox").fill("0")
    panel.type("max_tokens", "5")
    response = panel.run_prompt("Which department should answer this letter? {letter}")
    expect(response).to_contain_text("billing")


def _shoot_all(notebook: NotebookPage, panel: PanelPage, images: Path, suffix: str) -> None:
    """Take a picture in each width and theme."""
    for dark in (False, True):
        notebook.use_theme(dark=dark)
        for name, width in WIDTHS.items():
            _shoot(panel, width, images / f"{name}{suffix}-{'dark' if dark else 'light'}.png")


def _shoot(panel: PanelPage, width: int, path: Path) -> None:
    """Take a picture of the panel at that width, without focus or hover."""
    panel.root.evaluate("(panel, width) => { panel.style.maxWidth = `${width}px`; }", width)
    panel.page.evaluate("document.activeElement.blur()")
    panel.page.mouse.move(0, 0)
    panel.root.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    main(*sys.argv[1:])

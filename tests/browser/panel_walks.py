"""What is done in the panel in JupyterLab as well as in Notebook 7, and in other versions of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from .lab_server import LabServer
    from .panel_page import PanelNotebook, PanelPage


def work_a_day(shown: PanelNotebook, server: LabServer, shot: Callable[[str], object] = lambda name: None) -> None:
    """Choose, change, run, stop while a cell runs, compare, copy and save."""
    page, panel = shown.page, shown.panel
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    temperature = panel.row("temperature").get_by_role("textbox")  # the notebook takes a slider's arrow keys
    temperature.fill("0.95")
    temperature.press("Enter")
    panel.says_in_cell("-p temperature=0.95")
    panel.open("Other model kwargs")
    panel.field("stop").click()
    page.keyboard.type("END")
    page.keyboard.press("Enter")
    panel.says_in_cell("""-p 'stop=["END"]'""")
    panel.field("Prompt").fill("Say '{topic} and {other}'")
    expect(panel.field("{topic}")).to_have_attribute("placeholder", "notebook: sparkling water")
    panel.type("{other}", "tea")
    panel.says_in_cell("-v other=tea")
    panel.button("Run").click()
    panel.ends()
    expect(panel.result).to_contain_text("sparkling water and tea")
    expect(panel.tab("Request")).to_contain_text("Authorization: Bearer **********")
    shot(server.app)

    shown.run("faulty.script([Fault('stalled', after=12)])")
    panel.tab("Response")
    panel.button("Save as").click()
    panel.type("Save as", "mine")
    panel.says("Saved mine for this session.")
    panel.field("Config").select_option("faulty")
    panel.field("Prompt").fill("Write 100 words about tea.")
    panel.says_in_cell("%%azureml faulty\nWrite 100 words about tea.")
    panel.button("Run").click()
    expect(panel.result).to_contain_text("Tea is made")
    expect(shown.run("6 * 7")).to_have_text("42")
    panel.button("Stop").click()
    panel.says("Stopped. The text received so far is kept.")

    panel.open("Compare")
    panel.field("With configs").select_option("mine")
    panel.says("2 requests, prompts of about")
    panel.button("Compare").click()
    panel.says("2 responses")
    expect(panel.root.locator(".azml-column:visible")).to_have_count(2)

    panel.button("Copy").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('%%azureml faulty'))")
    panel.field("Config").select_option("mine")
    panel.button("Export").click()
    panel.type("File", "mine.json")
    panel.says("Exported to mine.json, without the key.")
    assert json.loads((server.root / "mine.json").read_text())["model_kwargs"]["temperature"] == 0.95


def use_only_the_keyboard(page: Page, shown: PanelNotebook, panel: PanelPage) -> None:
    """Write, run, open a fold, change a kwarg, run again, stop, and leave a form."""
    panel.field("Prompt").focus()
    page.keyboard.type("Say 'typed fast'", delay=0)
    page.keyboard.press("Control+Enter")  # right after the last key
    expect(panel.result).to_contain_text("typed fast")
    panel.ends()
    expect(panel.field("Prompt")).to_be_focused()

    fold = panel.root.get_by_role("button", name="Other model kwargs")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    panel.field("seed").fill("5")
    page.keyboard.press("Tab")
    panel.says("settings changed since this answer")
    page.keyboard.press("Control+Enter")
    panel.ends()
    panel.says_in_cell("-p seed=5")
    expect(panel.lines.filter(has_text="settings changed")).to_have_count(0)
    expect(panel.slider("temperature")).to_have_attribute("aria-label", "temperature")

    shown.run("faulty.script([Fault('stalled', after=12)]); run('use faulty')")
    expect(panel.field("Config")).to_have_value("faulty")
    panel.field("Prompt").fill("Write 200 words about tea.")
    page.keyboard.press("Control+Enter")
    expect(panel.result).to_contain_text("Tea is made")
    page.keyboard.press("Escape")
    panel.says("Stopped. The text received so far is kept.")
    panel.ends()

    panel.button("More").focus()
    page.keyboard.press("Enter")
    panel.root.get_by_role("button", name="Save as").focus()
    page.keyboard.press("Enter")
    expect(panel.field("Save as")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel.button("More")).to_be_focused()


def find_violations(page: Page, panel: PanelPage) -> list[Any]:
    """What axe-core finds in the panel after two runs, with every fold open and each tab in front.

    AZML_AXE names its axe.min.js; without it the test is skipped.
    """
    axe = os.environ.get("AZML_AXE", "")
    if not axe:
        pytest.skip("AZML_AXE names no axe.min.js: npm pack axe-core, and unpack it")

    def look() -> None:
        violations = page.evaluate("axe.run('.azml-panel').then(({violations}) => violations)")
        found.extend((each["id"], [node["html"][:160] for node in each["nodes"]]) for each in violations)

    found: list[Any] = []
    panel.run_prompt("Write a haiku about milk.")
    panel.run_prompt("Write a haiku about tea.")
    panel.open_all()
    panel.button("Save as").click()
    page.evaluate(Path(axe).read_text())
    look()
    for name in panel.root.get_by_role("tab").all_inner_texts():
        panel.tab(name.strip())
        panel.settles()
        look()
    panel.field("Versions").select_option(index=1)
    expect(panel.result.locator("ins").first).to_be_visible()
    look()
    return found

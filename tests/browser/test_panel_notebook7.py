"""The panel in Notebook 7, from choosing to saving."""

from __future__ import annotations

import json

import pytest

from .panel_page import PanelNotebook

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect


def test_choose_change_run_stop_compare_and_save(page, notebook7, shot):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = PanelNotebook(page, notebook7)
    shown.restart_session()
    panel = shown.panel
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
    shot("notebook7")

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

    panel.open("Several responses")
    panel.field("Compare with").select_option("mine")
    panel.button("Compare").click()
    panel.says("2 responses")
    expect(panel.result.locator("tbody tr")).to_have_count(2)

    panel.button("Copy").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('%%azureml faulty'))")
    panel.field("Config").select_option("mine")
    panel.button("Export").click()
    panel.type("File", "mine.json")
    panel.says("Exported to mine.json, without the key.")
    assert json.loads((notebook7.root / "mine.json").read_text())["model_kwargs"]["temperature"] == 0.95

"""Palette, toolbars, menus and shortcuts; and the active config in the status bar."""

from __future__ import annotations

import nbformat
import pytest

from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

DEMO = "%load_ext azml_magics\n%azureml demo"
STATUS = ".azml-StatusItem:visible"


def button(page, command):
    """The toolbar button of a command."""
    return page.locator(f'[data-command="azml-magics:{command}"]:visible').locator("visible=true").first


def test_toolbar_and_shortcut_insert_a_prompt_cell(page, lab):
    lab.write("a.ipynb", "1")
    notebook = NotebookPage(page, lab, "a.ipynb")
    notebook.select(0)
    button(page, "insert-cell").click()
    page.keyboard.type("Hello {name}")
    expect(notebook.cells).to_have_count(2)
    expect(notebook.editor(1)).to_have_text("%%azureml" + "Hello {name}")
    expect(notebook.editor(1).locator(".azml-PromptCell-variable")).to_have_text(["{name}"])
    page.keyboard.press("Alt+Shift+I")
    expect(notebook.cells).to_have_count(3)
    expect(notebook.editor(2)).to_have_text("%%azureml")


def test_cell_turns_into_a_prompt(page, lab):
    lab.write("b.ipynb", "Tell me about {topic}", nbformat.v4.new_markdown_cell("Tell me more"))
    notebook = NotebookPage(page, lab, "b.ipynb")
    notebook.select(0)
    expect(button(page, "run-with-config")).to_have_count(0)
    button(page, "turn-into-prompt").click()
    expect(notebook.editor(0)).to_have_text("%%azureml" + "Tell me about {topic}")
    expect(page.locator('[data-command="azml-magics:turn-into-prompt"]').locator("visible=true")).to_have_count(0)
    expect(button(page, "run-with-config")).to_be_visible()
    notebook.cell(1).click()
    page.keyboard.press("Alt+Shift+T")
    expect(notebook.editor(1)).to_have_text("%%azureml" + "Tell me more")
    expect(notebook.prompt(1)).to_have_text("[ ]:")


def test_menus_and_palette_show_commands_with_shortcuts(page, lab, shot):
    lab.write("c.ipynb", "%%azureml\nHi")
    notebook = NotebookPage(page, lab, "c.ipynb")
    notebook.select(0)
    for menu, label, keys in (
        ("View", "Open Azure ML Panel", "Alt+Shift+P"),
        ("Edit", "Insert Azure ML Prompt Cell", "Alt+Shift+I"),
        ("Run", "Run Prompt with Another Config…", "Alt+Shift+R"),
    ):
        page.locator(".lm-MenuBar-item", has_text=menu).click()
        item = page.locator(".lm-Menu-item", has_text=label)
        expect(item.locator(".lm-Menu-itemShortcut")).to_have_text(keys)
        page.keyboard.press("Escape")
    notebook.command("apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input").fill("Azure ML")
    found = page.locator(".lm-CommandPalette-item", has_text="Turn Cell into Azure ML Prompt")
    expect(page.locator(".lm-CommandPalette-item", has_text="Insert Azure ML Prompt Cell")).to_contain_text(
        "Alt+Shift+I"
    )
    expect(found).to_have_count(0)  # the cell is a prompt already
    shot("palette")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+Shift+P")
    expect(page.locator("#azml-magics-panel")).to_be_visible()


def test_prompt_runs_with_another_config(page, lab, shot):
    lab.write(
        "d.ipynb", DEMO, '%%azureml -p max_tokens=5 -s "Be brief."\nHello', "%%azureml --compare demo,demo-chat\nHi"
    )
    notebook = NotebookPage(page, lab, "d.ipynb")
    notebook.run(0)
    notebook.run(1)
    button(page, "run-with-config").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog.locator("select")).to_have_value("demo")  # the active one
    shot("run-with")
    dialog.locator("select").select_option("demo-gpt2")
    dialog.get_by_role("button", name="Run").click()
    expect(notebook.prompt(1)).to_have_text("[3]:")
    expect(notebook.editor(1)).to_contain_text('%%azureml demo-gpt2 -p max_tokens=5 -s "Be brief."')
    expect(notebook.outputs(1)).to_contain_text("demo-gpt2")
    notebook.select(2)
    expect(button(page, "run-with-config")).to_have_count(0)  # --compare names the configs


def test_configs_are_offered_while_a_cell_runs(page, lab):
    lab.write("i.ipynb", DEMO, "import time\nwhile True: time.sleep(0.05)", "%%azureml\nHello")
    notebook = NotebookPage(page, lab, "i.ipynb")
    if not notebook.has_subshells():
        pytest.skip("this kernel, or this JupyterLab, has no subshells")
    notebook.run(0)
    notebook.start(1)
    expect(notebook.prompt(1)).to_have_text("[*]:")
    notebook.select(2)
    page.keyboard.press("Alt+Shift+R")
    dialog = page.locator(".jp-Dialog")
    expect(dialog.locator("select")).to_have_value("demo")
    dialog.get_by_role("button", name="Cancel").click()
    expect(notebook.prompt(2)).to_have_text("[ ]:")
    notebook.command("notebook:interrupt-kernel")
    expect(notebook.prompt(1)).to_have_text("[2]:")


def test_dialog_without_configs_says_what_to_do(page, lab):
    lab.write("e.ipynb", "%%azureml\nHello")
    notebook = NotebookPage(page, lab, "e.ipynb")
    notebook.select(0)
    page.keyboard.press("Alt+Shift+R")
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("This kernel has no configs. First run %load_ext azml_magics")
    dialog.get_by_role("button", name="Ok").click()


def test_panel_event_inserts_its_cell(page, lab):
    lab.write("f.ipynb", "1")
    notebook = NotebookPage(page, lab, "f.ipynb")
    notebook.select(0)
    wanted = (
        "document.dispatchEvent(new CustomEvent('azml-magics:insert-cell', {cancelable: true, detail: {text: %s}}))"
    )
    assert page.evaluate(wanted % "'%%azureml\\nHello'") is False  # the event was handled
    expect(notebook.editor(1)).to_have_text("%%azureml" + "Hello")
    assert page.evaluate(wanted % "7") is True
    expect(notebook.cells).to_have_count(2)


def test_status_bar_names_active_config_of_current_notebook(page, lab):
    lab.write("g.ipynb", "1", DEMO, "%azureml use demo-chat", "%azureml use nothing-like-that", "2")
    lab.write("h.ipynb", "1")
    notebook = NotebookPage(page, lab, "g.ipynb")
    notebook.run(0)
    expect(page.locator(STATUS)).to_have_count(0)  # no request to a kernel that has not used azml_magics
    notebook.run(1)
    expect(page.locator(STATUS)).to_have_text("Azure ML: demo")
    notebook.run(2)
    expect(page.locator(STATUS)).to_have_text("Azure ML: demo-chat")
    notebook.run(3)
    notebook.run(4)
    expect(notebook.prompt(4)).to_have_text("[5]:")  # the requests do not increment In [n]
    expect(page.locator(STATUS)).to_have_text("Azure ML: demo-chat")
    page.locator(".jp-DirListing-item", has_text="h.ipynb").dblclick()
    expect(page.locator(STATUS)).to_have_count(0)
    page.locator(".lm-TabBar-tab", has_text="g.ipynb").click()
    expect(page.locator(STATUS)).to_have_text("Azure ML: demo-chat")
    page.locator(STATUS).click()
    expect(page.locator("#azml-magics-panel .azml-panel")).to_be_visible(timeout=60_000)
    notebook.restart_kernel()
    expect(page.locator("#azml-magics-panel .azml-panel")).to_be_visible(timeout=60_000)
    expect(page.locator(STATUS)).to_have_text("Azure ML: no config")

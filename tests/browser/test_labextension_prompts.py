"""%%azureml cells in the editor: Markdown with marked variables."""

from __future__ import annotations

import nbformat
import pytest

from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

PROMPT = """\
%%azureml prod -p temperature=0 -s "Be brief."
# Summarise this

Write **two** lines on `{topic}` for {name}, not {{this}}.
As {"topic": "{topic}"}, and \\frac{a}{b} as it is.

- a list item
```python
x = 1
```"""
VARIABLE, BODY, MAGIC = ".azml-PromptCell-variable", ".azml-PromptCell-body", ".azml-PromptCell-magic"


def test_body_is_markdown_with_marked_variables(page, lab, shot):
    lab.write("a.ipynb", PROMPT, "def f(x):\n    return {x}", "%%azureml -t none\n{x}")
    notebook = NotebookPage(page, lab, "a.ipynb")
    prompt, code, literal = (notebook.editor(index) for index in range(3))
    expect(prompt).to_have_attribute("data-language", "markdown")
    expect(prompt.locator(VARIABLE)).to_have_text(["{topic}", "{name}", "{topic}"])
    expect(prompt.locator(MAGIC)).to_have_text('%%azureml prod -p temperature=0 -s "Be brief."')
    expect(prompt.locator(BODY)).to_have_count(9)
    expect(code).to_have_attribute("data-language", "python")
    expect(code.locator(BODY)).to_have_count(0)
    expect(literal.locator(BODY)).to_have_text("{x}")
    expect(literal.locator(VARIABLE)).to_have_count(0)
    shot("prompt-light")
    notebook.use_theme(dark=True)
    shot("prompt-dark")


def test_cell_becomes_a_prompt_while_typing_and_back(page, lab):
    lab.write("b.ipynb", "Write about {x}")
    notebook = NotebookPage(page, lab, "b.ipynb")
    editor = notebook.editor(0)
    expect(editor).to_have_attribute("data-language", "python")
    notebook.select(0)
    page.keyboard.press("Control+Home")
    page.keyboard.type("%%azureml\n")
    expect(editor).to_have_attribute("data-language", "markdown")
    expect(editor.locator(VARIABLE)).to_have_text(["{x}"])
    page.keyboard.type("and {y}, ")
    expect(editor.locator(VARIABLE)).to_have_text(["{y}", "{x}"])
    page.keyboard.press("Control+Home")
    page.keyboard.press("Delete")
    expect(editor).to_have_attribute("data-language", "python")
    expect(editor.locator(VARIABLE)).to_have_count(0)


def test_markdown_cells_and_files_stay_unchanged(page, lab):
    lab.write("c.ipynb", nbformat.v4.new_markdown_cell("%%azureml\n{x}"), "1")
    (lab.root / "file.py").write_text("%%azureml\n{x}\n")
    notebook = NotebookPage(page, lab, "c.ipynb")
    notebook.command("notebook:enter-edit-mode")
    expect(notebook.cell(0).locator(".cm-content")).to_contain_text("{x}")
    expect(page.locator(VARIABLE)).to_have_count(0)
    page.locator(".jp-DirListing-item", has_text="file.py").dblclick()
    expect(page.locator(".jp-FileEditor .cm-content")).to_contain_text("{x}")
    expect(page.locator(VARIABLE)).to_have_count(0)

"""Answers in the response viewer: live and saved, hostile, damaged and huge; several side by side."""

from __future__ import annotations

import ast
import json

import nbformat
import pytest

from azml_magics.compare.comparison import Batch, Row
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.display.batch_html import batch_to_html

from .lab_server import LabServer
from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

MIME = "application/vnd.azml.response.v1+json"
PROMPT = 'Tell me, in three stanzas, about the "rivers" of Bob\'s country, and of \\n {{braces}}.'
RESPONSE = {
    "version": 1,
    "text": "Rivers **run**.",
    "config": "prod",
    "model": "phi-4",
    "finish_reason": "stop",
    "usage": {"prompt_tokens": 1200, "completion_tokens": 4, "total_tokens": 1204},
    "tool_calls": [],
    "reasoning": "Do they?",
}
DETAILS = {"latency": 2.0, "time_to_first_token": 0.25, "request_id": "r-1", "deployment": "blue"}
HOSTILE = (
    "<script>window.stolen = 1</script><img src='data:,' onerror='window.stolen = 2'>"
    "<a href='javascript:window.stolen = 3'>a</a> <svg onload='window.stolen = 4'></svg>"
)


DETAILED = "%load_ext azml_magics\n%config AzureMLMagics.save_details = True\n%azureml demo"


def saved(document, *, metadata=None, **data):
    """A cell as it lies in a saved notebook, its output with our document."""
    bundle = {**data, MIME: document} if document is not None else data
    output = nbformat.v4.new_output("execute_result", data=bundle, metadata=metadata or {}, execution_count=1)
    return nbformat.v4.new_code_cell("%%azureml\nHi", outputs=[output], execution_count=1)


def tab(cell, name):
    """The view behind a tab, brought to the front."""
    cell.get_by_role("tab", name=name, exact=True).click()
    return cell.get_by_role("tabpanel", name=name, exact=True)


def columns(cell):
    """The texts of a table's first column and of its headings' order."""
    return cell.locator("tbody tr td:first-child").all_inner_texts()


def test_live_response_has_request_usage_timing_and_code(page, lab, shot):
    lab.write("a.ipynb", DETAILED, f"%%azureml demo-chat -p temperature=0\n{PROMPT}")
    notebook = NotebookPage(page, lab, "a.ipynb")
    notebook.run(0)
    notebook.run(1)
    cell = notebook.cell(1)
    expect(tab(cell, "Response")).to_contain_text("not a language model")
    expect(cell.locator(".azml-Tabs-summary")).to_have_text("demo-chat")
    sent = PROMPT.replace("{{braces}}", "{braces}")
    request = tab(cell, "Request")
    expect(request).to_contain_text("POST http://127.0.0.1")
    expect(request).to_contain_text("Authorization: Bearer **********")
    body = json.loads(request.locator(".jp-RenderedMarkdown").inner_text())
    assert body["messages"][-1]["content"] == sent
    assert body["temperature"] == 0
    shot("request")
    expect(tab(cell, "Usage")).to_contain_text("Completion tokens")
    expect(tab(cell, "Timing")).to_contain_text("Time to first token")
    code = tab(cell, "Code")
    for language in ("Python", "LangChain"):
        code.get_by_role("button", name=language).click()
        program = code.locator("pre:visible").inner_text()
        assert sent in [node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)]
    shot("code")
    code.get_by_role("button", name="curl").click()
    expect(code.locator("pre:visible")).to_contain_text("curl -sS http://127.0.0.1")


def test_saved_response_is_shown_without_a_kernel(page, lab, shot):
    lab.write("b.ipynb", saved(RESPONSE, metadata={"azml": DETAILS}, **{"text/markdown": "Rivers **run**."}), kernel="")
    notebook = NotebookPage(page, lab, "b.ipynb", with_kernel=False)
    cell = notebook.cell(0)
    expect(cell.locator(".azml-Tabs-summary")).to_have_text("prod")
    expect(cell.locator(".azml-Response-facts")).to_have_text("phi-4 · 4 tokens · 2.0 s")
    expect(cell.get_by_role("tabpanel").locator("strong")).to_have_text("run")
    cell.get_by_text("Reasoning").click()
    expect(cell.get_by_role("tabpanel")).to_contain_text("Do they?")
    expect(cell.get_by_role("tab")).to_have_text(["Response", "Usage", "Timing"])  # the request was not saved
    usage = tab(cell, "Usage")
    page.keyboard.press("Enter")
    expect(usage).to_contain_text("1,200")
    page.keyboard.press("ArrowRight")
    timing = cell.get_by_role("tabpanel", name="Timing")
    expect(timing).to_contain_text("250 ms")
    expect(timing).to_contain_text("2.3 tokens/s")
    expect(timing).to_contain_text("r-1")
    shot("saved")


def test_first_rows_of_a_table_show_the_total(page, lab, shot):
    rows = [
        {"index": "101", "setting": {"place": "rivers"}, "text": "They run.", "finish_reason": "stop"},
        {"index": "734", "setting": {"place": "seas"}, "text": "", "error": "RateLimitError: later"},
    ]
    document = {"version": 1, "rows": rows, "summary": "1,000 rows, 3 failed", "rest": "… and 998 more"}
    lab.write("r.ipynb", saved(document), kernel="")
    shown = NotebookPage(page, lab, "r.ipynb", with_kernel=False).outputs(0).locator(".azml-SideBySide")
    expect(shown.locator("> p")).to_have_text(["1,000 rows, 3 failed", "… and 998 more"])
    expect(shown.locator("tbody td:first-child")).to_have_text(["101", "734"])
    shot("rows")


def test_columns_of_a_schema_are_in_the_preview_of_rows(page, lab, shot):
    cells = [
        "%load_ext azml_magics\n%azureml demo\nfrom pydantic import BaseModel\n"
        "class Label(BaseModel):\n    title: str\n    price: float\n"
        "loaves = ['rye bread', 'oat bread', 'wheat bread']",
        "%%azureml --each $loaves --schema $Label\nGive me JSON for a label on a loaf of {text}.",
    ]
    lab.write("fields.ipynb", *cells)
    notebook = NotebookPage(page, lab, "fields.ipynb")
    notebook.run(0)
    notebook.run(1)
    shown = notebook.outputs(1).locator(".azml-SideBySide")
    headings = shown.locator("th").all_inner_texts()
    assert headings[:5] == ["#", "text", "title", "price", "response"]
    prices = [float(text) for text in shown.locator("tbody td:nth-child(4)").all_inner_texts()]
    assert len(prices) == 3
    shown.get_by_role("button", name="price").click()
    assert [float(text) for text in shown.locator("tbody td:nth-child(4)").all_inner_texts()] == sorted(prices)
    shot("fields")


def test_saved_columns_of_a_schema_are_numbers_and_texts(page, lab):
    rows = [
        {"index": str(n), "setting": {"text": "rye"}, "fields": {"title": title, "price": price}, "text": "{}"}
        for n, (title, price) in enumerate([("Rye", 10), ("Oat", 9.5), ("", "")])
    ]
    lab.write(
        "saved-fields.ipynb", saved({"version": 1, "rows": rows, "columns": ["text", "title", "price"]}), kernel=""
    )
    shown = NotebookPage(page, lab, "saved-fields.ipynb", with_kernel=False).outputs(0).locator(".azml-SideBySide")
    expect(shown.locator("tbody td:nth-child(3)")).to_have_text(["Rye", "Oat", ""])
    shown.get_by_role("button", name="price").click()
    expect(shown.locator("tbody td:nth-child(3)")).to_have_text(["Oat", "Rye", ""])


def test_html_in_a_response_never_runs(page, lab):
    document = {**RESPONSE, "text": HOSTILE, "reasoning": HOSTILE, "config": HOSTILE, "model": HOSTILE}
    rows = [{"setting": {HOSTILE: HOSTILE}, "text": HOSTILE, "error": HOSTILE}]
    request = {"url": HOSTILE, "headers": {HOSTILE: HOSTILE}, "body": HOSTILE, "code": {"curl": HOSTILE}}
    metadata = {"azml": {**DETAILS, "request": request, "deployment": HOSTILE}}
    lab.write(
        "c.ipynb",
        saved(document, metadata=metadata, **{"text/markdown": HOSTILE}),
        saved(
            {"version": 1, "rows": rows}, **{"text/html": f"<table><tbody><tr><td></td><td>{HOSTILE}</td></tr></table>"}
        ),
        saved({"version": 9}, **{"text/markdown": HOSTILE, "text/html": HOSTILE}),
        kernel="",
    )
    notebook = NotebookPage(page, lab, "c.ipynb", with_kernel=False)
    for name in ("Request", "Usage", "Timing", "Code", "Response"):
        expect(tab(notebook.cell(0), name)).to_be_visible()
    expect(notebook.outputs(1)).to_contain_text("<script>window.stolen = 1</script>")
    expect(notebook.outputs(2)).to_contain_text("newer azml-magics")
    for cell in range(3):
        expect(notebook.outputs(cell).locator("script, svg, [onerror], [onload], a[href^=javascript]")).to_have_count(0)
    assert page.evaluate("window.stolen ?? null") is None


def test_damaged_document_is_shown_as_markdown(page, lab):
    damaged = [{}, {"version": 1}, {"version": 1, "rows": [1]}, {"version": "1", "text": "x"}, "text", 7, [], None]
    cells = [saved({}, **{"text/markdown": f"Rivers **run** {index}."}) for index in range(len(damaged))]
    for cell, document in zip(cells, damaged, strict=True):
        cell.outputs[0].data[MIME] = document
    lab.write("d.ipynb", *cells, kernel="")
    notebook = NotebookPage(page, lab, "d.ipynb", with_kernel=False)
    for index, document in enumerate(damaged):
        expect(notebook.outputs(index)).to_contain_text(f"Rivers run {index}.")
        expect(notebook.outputs(index).locator("strong")).to_have_text("run")
        why = (
            "its details are not shown" if isinstance(document, dict) else "This output is not an azml-magics document"
        )
        expect(notebook.outputs(index)).to_contain_text(why)


def test_newer_document_is_shown_as_text_with_its_version(page, lab):
    huge = "Rivers run. " * 100_000
    lab.write(
        "e.ipynb",
        saved({"version": 2}, **{"text/plain": "Rivers <b>run</b>."}),
        saved({"version": 2}, **{"text/markdown": huge, "text/plain": huge}),
        kernel="",
    )
    notebook = NotebookPage(page, lab, "e.ipynb", with_kernel=False)
    expect(notebook.outputs(0)).to_contain_text("Rivers <b>run</b>.")
    expect(notebook.outputs(0)).to_contain_text("saved by a newer azml-magics (document version 2)")
    expect(notebook.outputs(1).get_by_role("button", name="Show all 1,200,000 characters")).to_be_visible()


def test_huge_response_is_shown_in_part_with_a_button(page, lab):
    text = "Rivers run. " * 100_000
    lab.write("f.ipynb", saved({**RESPONSE, "text": text}, **{"text/plain": text, "text/markdown": text}), kernel="")
    outputs = NotebookPage(page, lab, "f.ipynb", with_kernel=False).outputs(0)
    shown = outputs.locator(".azml-Response-text")
    assert len(shown.inner_text()) == 200_000
    outputs.get_by_role("button", name="Show all 1,200,000 characters").click()
    expect(outputs.get_by_role("button", name="Show all")).to_have_count(0)
    assert len(shown.text_content()) == len(text)


def test_click_sorts_responses_side_by_side(page, lab, shot):
    lab.write(
        "g.ipynb",
        DETAILED,
        "%%azureml --sweep temperature=0,1.5,0.5 --sweep max_tokens=20,9\nSay hello to Lisbon",
    )
    notebook = NotebookPage(page, lab, "g.ipynb")
    notebook.run(0)
    notebook.run(1)
    cell = notebook.cell(1)
    asked = ["0", "0", "1.5", "1.5", "0.5", "0.5"]
    expect(cell.locator("tbody tr")).to_have_count(6)
    assert columns(cell) == asked
    expect(cell.locator("thead th")).to_have_text(
        ["temperature", "max_tokens", "response", "finish", "tokens", "seconds"]
    )
    assert cell.locator("mark").count() > 0
    heading = cell.get_by_role("button", name="temperature")
    heading.click()
    assert columns(cell) == sorted(asked, key=float)
    expect(cell.get_by_role("columnheader", name="temperature")).to_have_attribute("aria-sort", "ascending")
    shot("table")
    page.keyboard.press("Enter")  # the heading has the focus, and the notebook leaves its keys alone
    assert columns(cell) == sorted(asked, key=float, reverse=True)
    heading.click()
    assert columns(cell) == asked


def test_response_without_the_extension_is_markdown(page, tmp_path):
    plain = LabServer("lab", tmp_path / "plain", without=["azml-magics"])
    try:
        plain.write("h.ipynb", saved(RESPONSE, **{"text/markdown": "Rivers **run**.", "text/plain": "no"}), kernel="")
        notebook = NotebookPage(page, plain, "h.ipynb", with_kernel=False)
        expect(notebook.outputs(0)).to_have_text("Rivers run.")
        expect(notebook.outputs(0).locator("strong")).to_have_text("run")
        expect(notebook.outputs(0).get_by_role("tab")).to_have_count(0)
    finally:
        page.goto("about:blank")  # else the page reports that its server is gone
        plain.stop()


_CONTRAST = """() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = channels(color).map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) { return color; }
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('.jp-RenderedHTMLCommon table :is(td, th, td div, mark)')].map(node => {
    const [a, b] = [luminance(getComputedStyle(node).color), luminance(background(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_table_without_the_viewer_can_be_read_in_every_theme(page, lab, shot, theme):
    rows = [
        Row({"config": "a"}, LLMConfig(), Response("First line.\n\nSecond line.")),
        Row({"config": "b"}, LLMConfig(), Response("First line.\n\nAnother line."), RuntimeError("It broke.")),
    ]
    output = nbformat.v4.new_output("display_data", data={"text/html": batch_to_html(Batch(rows))})
    lab.write("themes.ipynb", nbformat.v4.new_code_cell("x", outputs=[output]), kernel="")
    shown = NotebookPage(page, lab, "themes.ipynb", with_kernel=False).outputs(0)
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    expect(page.locator(f"body[data-jp-theme-name='{theme}']")).to_have_count(1)
    expect(shown.locator("td div")).to_contain_text("It broke.")
    assert shown.locator("td br").count() == 4
    ratios = page.evaluate(_CONTRAST)
    shot(theme.replace(" ", "-"))
    page.evaluate("jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })")
    assert len(ratios) >= 8
    assert min(ratios) >= 4.5  # WCAG 2.2, 1.4.3

"""A cell whose response streams in, in JupyterLab."""

from __future__ import annotations

import pytest

from .notebook_page import NotebookPage

pytest.importorskip("playwright", reason='the tests in a browser: pip install -e ".[browser]"')
from playwright.sync_api import expect

SETUP = '%load_ext azml_magics\n%azureml demo\n"ready"'
PROMPT = "%%azureml demo\nWrite a haiku about sparkling water."


def test_first_response_on_a_page_is_shown_once(page, lab):
    path = lab.write("first.ipynb", SETUP, PROMPT)
    notebook = NotebookPage(page, lab, path.name)
    expect(notebook.run(0).filter(has_text="'ready'")).to_have_count(1)
    notebook.reload()

    held = []  # the parser of Markdown is loaded when it is first needed: here only when the response is complete
    page.route("**/*.js*", lambda route: held.append(route))
    notebook.run(1)
    assert held
    page.unroute("**/*.js*")  # what is held goes on

    texts = notebook.outputs(1).filter(has_text="bubbles")
    expect(texts.last).to_be_visible()
    page.wait_for_timeout(1_000)  # an update that comes late would show its text again
    expect(texts).to_have_count(1)

"""A notebook with all kinds of outputs through nbconvert: nothing live, nothing ugly, no key."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nbformat
import pytest

from .conftest import KEY
from .fresh import executed, program

HOSTILE = """
class Hostile:
    def format_request_payload(self, prompt, model_kwargs):
        return {"input_data": [prompt]}
    def format_response_payload(self, output):
        return (
            "Hi <script>alert('stolen')</script><img src=x onerror=alert(1)>\\n\\n"
            "[click](javascript:alert(2)) <a href='javascript:alert(3)'>me</a>\\n\\n"
            "<iframe srcdoc='<script>alert(4)</script>'></iframe> <svg/onload=alert(5)>\\n\\n"
            "```html\\n<script>alert(6)</script>\\n```\\n"
        )
hostile = Hostile()
"""
CELLS = (
    "%load_ext azml_magics",
    "%azureml save chat --url {url}/v1/chat/completions --key env:TEST_KEY;",
    "%azureml save gpt2 --url {url}/score -f gpt2 --deployment gpt2-2023-06 --key env:TEST_KEY;",
    HOSTILE,
    "%%azureml\nTell me about rivers",
    "%%azureml -F json\nGive me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread.",
    "%%azureml -F code\nWrite a Python function that converts ounces to grams.",
    "%%azureml --sweep max_tokens=3,9\nTell me about hills",
    "%%azureml -u {url}/score -f $hostile\nHello",
    "%%azureml -u {url}/score -f $hostile -n 2\nHello",
    "%%azureml -u {url}/score?emulator-fault=html-error -f gpt2 --retries 0\nHello",
    "%%azureml --compare chat,gpt2 -u {url}/nowhere --retries 0\nHello",
    "%azureml list",
    "%azureml show chat",
    "%azureml test chat",
    "%azureml detect gpt2",
    "%azureml history",
    "%azureml conversations",
    "%azureml code last",
    "%azureml code chat --as curl",
    "%azureml help",
    "%azureml last --traceback",
    "%%azureml -c talk --dry-run\nHello",
    "%%azureml chta\nHello",
)


@pytest.fixture(scope="module")
def folder(azml_session_endpoint, tmp_path_factory):
    """A folder with the executed notebook, all.ipynb."""
    made = tmp_path_factory.mktemp("converted")
    azml_session_endpoint.script([])
    notebook = executed(
        made, *(source.replace("{url}", azml_session_endpoint.url) for source in CELLS), allow_errors=True
    )
    nbformat.write(notebook, made / "all.ipynb")
    return made


@pytest.fixture(scope="module")
def converted(folder):
    """The text of the notebook in a format."""
    made = {}

    def convert(to):
        if to not in made:
            ran = program(folder, "nbconvert", "--to", to, "--stdout", "--log-level", "ERROR", "all.ipynb")
            assert ran.returncode == 0, ran.stderr[-3000:]
            made[to] = ran.stdout
        return made[to]

    return convert


class Live(HTMLParser):
    """What in a page would act: elements with their attributes, outside of the page's own head."""

    def __init__(self, page):
        super().__init__()
        self.acting = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        if tag in {"script", "iframe", "object", "embed", "svg", "form", "base", "meta"}:
            self.acting.append((tag, given))
        if any(name.startswith("on") for name in given):
            self.acting.append((tag, given))
        if any(
            re.match(r"\s*(javascript|vbscript|data:text)", given.get(name, ""), re.IGNORECASE)
            for name in ("href", "src")
        ):
            self.acting.append((tag, given))


def test_notebook_has_the_checked_outputs(folder):
    notebook = nbformat.read(folder / "all.ipynb", 4)
    errors = [cell.source for cell in notebook.cells for out in cell.outputs if out.output_type == "error"]
    assert [source.split("--retries")[0].split("fault=")[-1] for source in errors] == [
        "html-error -f gpt2 ",
        "%%azureml chta\nHello",
    ]
    for cell in notebook.cells:
        for out in cell.outputs:
            assert out.get("name") != "stderr", out
            assert out.output_type != "error" or len(out.traceback) == 1
    assert "widgets" not in notebook.metadata


def test_html_has_nothing_live(converted):
    page = converted("html")
    body = page[page.index("<body") :]
    assert Live(body).acting == []
    assert "alert(&#39;stolen&#39;)" in body or "alert('stolen')" in body  # the answer is there, as text


def test_html_shows_responses_tables_and_errors(converted):
    page = converted("html")
    for part in ("not a language model", "<mark>", "Sending 2 requests.", "UnknownNameError: No config named"):
        assert part in page
    assert page.count("<table") >= 6


@pytest.mark.parametrize("to", ["html", "markdown", "script"])
def test_exports_have_no_leftovers_and_no_key(converted, to):
    text = converted(to)
    body = (
        re.sub(r"<style.*?</style>|<[^>]*>", "", text[text.index("<body") :], flags=re.DOTALL) if to == "html" else text
    )
    for ugly in ("object at 0x", "IPython.core.display", KEY):
        assert ugly not in body
    assert not re.search(r"\b0%", body)
    assert not re.search(r"Bearer (?!\*{10}|\$)", body)


def test_markdown_shows_responses_and_errors(converted):
    text = converted("markdown")
    assert "not a language model" in text
    assert "UnknownNameError: No config named 'chta'. Did you mean 'chat'?" in text
    prose = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^    .*$", "", prose, flags=re.MULTILINE)  # text/plain outputs are indented code
    assert "<script" not in prose


def test_script_runs_the_cells_again(converted):
    text = converted("script")
    compile(text, "all.py", "exec")
    assert "run_cell_magic('azureml', '', 'Tell me about rivers\\n')" in text

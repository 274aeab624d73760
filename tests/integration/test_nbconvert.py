"""A notebook with all kinds of outputs through nbconvert: nothing live, nothing ugly, no key."""

from __future__ import annotations

import re
import shutil
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
    "poems = ['water', None]",
    "%%azureml --each $poems\nWrite a haiku about {text}.",
    "%%azureml -n 2\nWrite a haiku about sparkling water.",
    "from azml_magics.core.response import Response\n"
    "Response('It costs $5 or $6. Put it in C:\\\\temp.\\n\\n\\\\[ \\\\frac12 \\\\] and $a^2$')",
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


# ---- tables without styles, and LaTeX


class OnGitHub(HTMLParser):
    """The tables of a page after GitHub's sanitizer: elements of its list, without classes and styles."""

    ALLOWED = frozenset(["table", "thead", "tbody", "tr", "th", "td", "br", "div", "p", "details", "summary", "small"])

    def __init__(self, page):
        super().__init__()
        self.tables, self._row, self._depth = [], None, 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
            self._depth += 1
        elif tag == "tr":
            self._row = []
            self.tables[-1].append(self._row)
        elif tag in {"td", "th"}:
            self._row.append("")
        elif tag in self.ALLOWED and self._depth and self._row:
            self._row[-1] += "\n"  # a line's end, or an element on a line of its own

    def handle_endtag(self, tag):
        self._depth -= tag == "table"

    def handle_data(self, data):
        if self._depth and self._row:
            self._row[-1] += " ".join(data.split("\n"))  # white space is folded, without "pre-wrap"


def test_tables_survive_markdown_and_githubs_sanitizer(converted):
    lines = [line for line in converted("markdown").split("\n") if "<table" in line]
    assert len(lines) >= 6
    assert all("</table>" in line for line in lines)  # a blank line within would end the table
    tables = OnGitHub("\n".join(lines)).tables
    haikus = next(rows for rows in tables if len(rows) == 3 and "bubbles" in rows[1][1])
    assert [heading.strip() for heading in haikus[0]] == ["repeat: 1", "repeat: 2"]
    assert [haiku.strip().count("\n") for haiku in haikus[1]] == [2, 2]  # the lines of a haiku
    rows = next(rows for rows in tables if rows[0][:2] == ["", "row"])
    assert rows[2][2].strip().startswith("PromptError: Row 1 has no value")


def test_no_output_has_a_colour_of_its_own_for_text(folder):
    text = (folder / "all.ipynb").read_text()
    assert not re.search(r"[;\"' ]color:\s*#", text)
    assert not re.search(r"background(-color)?:\s*(#|white|black)", text)


@pytest.mark.skipif(not shutil.which("pandoc"), reason="there is no pandoc on the PATH: apt-get install pandoc")
def test_latex_has_responses_formulas_and_money(converted):
    text = converted("latex")
    for part in (
        "not a language model",
        "It costs {\\$}5 or {\\$}6. Put it in C:\\textbackslash temp.",
        "\\[ \\frac12 \\]",
        "\\(a^2\\)",
        "\\textless script\\textgreater alert",
        "Small bubbles rising",
        "2 rows, 1 failed",
        "UnknownNameError",
    ):
        assert part in text, part
    assert KEY not in text
    assert "object at 0x" not in text

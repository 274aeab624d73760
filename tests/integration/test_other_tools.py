"""What jupytext and Sphinx (myst-nb) make of notebooks with prompts and responses: pip install -e ".[tools]"."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from .fresh import executed, notebook_of, variables_of

HARD = (
    "%%azureml -F json \\\n  -q\nWrite *two* lines:\n\n# not a heading\n%percent\n! shell\n---\n```python\nx = {a}\n```",
    "x = %azureml ask What is MLflow?\n%azureml list",
    '%%time\n%%azureml main -s "Be brief"\n{topic}\n\n\n+++\nend',
)
CELLS = (
    "%load_ext azml_magics",
    "%azureml save chat --url {url}/v1/chat/completions --key env:TEST_KEY",
    "%azureml save thinker --url {url}/openai/v1/chat/completions --model demo-reasoning --key env:TEST_KEY",
    "%%azureml chat\nTell me about rivers",
    "%%azureml thinker\nTell me about rivers",
    "%%azureml chat -F json\nGive me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread.",
    "%%azureml chat -F code\nWrite a Python function that converts ounces to grams.",
    "%%azureml chat -n 2\nWrite a haiku about sparkling water.",
    "rows = ['water', None]",
    "%%azureml chat --each $rows\nWrite a haiku about {text}.",
    "%azureml list",
    "%azureml test chat",
    "%azureml history",
    "%azureml code last",
    "%azureml code chat --as curl",
    "%%azureml chat --dry-run\nHello",
    "%azureml help",
    "from azml_magics.core.response import Response\n"
    "Response('It costs $5 or $6.\\n\\n\\\\[ \\\\frac12 \\\\]\\n\\n# A heading\\n\\n### A deep one\\n\\n```unknown\\nx\\n```\\n"
    "![x](http://evil.example/x.png) [y](javascript:alert(1)) <script>alert(1)</script> {x}`y` ```{=html}\\n<b>\\n```')",
)
# The line that docs/how-to/jupyterlab.md tells users of myst-nb
SUPPRESSED = 'suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure"]'
CONF = f'extensions = ["myst_nb"]\nnb_execution_mode = "off"\n{SUPPRESSED}\n'


@pytest.mark.parametrize("form", ["py:percent", "md", "md:myst"])
def test_cells_survive_jupytext(form):
    jupytext = pytest.importorskip("jupytext", reason='pip install -e ".[tools]"')
    notebook = notebook_of(*HARD)
    back = jupytext.reads(jupytext.writes(notebook, fmt=form), fmt=form)
    assert [cell.source for cell in back.cells] == list(HARD)


@pytest.fixture
def page(azml_endpoint, tmp_path):
    """Build a page of a notebook with Sphinx, where a warning is an error; (its HTML, what Sphinx wrote)."""
    pytest.importorskip("myst_nb", reason='pip install -e ".[tools]"')
    notebook = executed(tmp_path, *(source.replace("{url}", azml_endpoint.url) for source in CELLS))
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# Responses"))

    def build(conf=CONF):
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "conf.py").write_text(conf)
        nbformat.write(notebook, source / "index.ipynb")
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "sphinx",
                "-W",
                "--keep-going",
                "-q",
                "-b",
                "html",
                str(source),
                str(tmp_path / "built"),
            ],
            env={**variables_of(tmp_path), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        page = tmp_path / "built" / "index.html"
        return ran, page.read_text() if page.exists() else ""

    return build


def test_documentation_has_the_line_for_sphinx():
    assert f"`{SUPPRESSED}`" in (Path(__file__).parents[2] / "docs" / "how-to" / "jupyterlab.md").read_text()


def test_myst_nb_builds_responses_without_warnings(page):
    ran, text = page()
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    body = text[text.index("<body") :]
    for part in (
        "not a language model",
        "Small bubbles rising",
        "tex2jax_ignore",
        "Reasoning",
        "PromptError: Row 1",
        "frac12",
    ):
        assert part in body, part
    assert "<script>alert(1)" not in body
    assert not re.search(r"<img[^>]*evil", body)
    assert "javascript:alert" not in re.sub(r">[^<]*<", "><", body)

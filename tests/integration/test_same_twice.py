"""A notebook that runs twice, in two kernels, is the same file twice: only what Jupyter itself notes of times differs."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from .conftest import KEY
from .fresh import notebook_of, program

CELLS = (
    "%load_ext azml_magics",
    "%azureml save chat --url $url --key env:TEST_KEY\n%azureml save gpt2 --url $score -f gpt2 --key env:TEST_KEY",
    "%%azureml chat\nTell me about rivers",
    "%%azureml chat --no-stream -o answer\nTell me about lakes",
    "answer",
    "answer.text, answer.usage",
    "%%azureml chat -F json\nGive me JSON with the keys 'title', 'price' and 'tags' for a label on a loaf of rye bread.",
    "%%azureml chat -F code\nWrite a Python function that converts ounces to grams.",
    "%%azureml chat -c talk\nHello",
    "%%azureml chat -n 3\nTell me about hills",
    "%%azureml --compare chat,gpt2\nTell me about hills",
    "%%azureml chat --sweep temperature=0,1 --sweep max_tokens=3,9\nTell me about hills",
    "rows = [{'place': f'river {n}', 'n': n} for n in range(12)]",
    "%%azureml chat --each $rows --concurrency 4 -o table\nWrite about {place}.",
    "schema = {'type': 'object', 'properties': {'title': {'type': 'string'}, 'price': {'type': 'number'}}}",
    "%%azureml chat --each $rows --schema $schema\nGive me JSON with 'title' and 'price' of {place}.",
    "for topic in ('seas', 'bays'):\n    %azureml ask Tell me about {topic}",
    "%%azureml chat --dry-run\nHello",
    "%azureml list",
    "%azureml show chat",
    "%azureml test chat",
    "%azureml detect gpt2",
    "%azureml history",
    "%azureml last",
    "%azureml conversations show talk",
    "%azureml code last",
    "%azureml code last --as curl",
    "%azureml help",
    "%%azureml nowhere\nHello",
)


@pytest.fixture(scope="module")
def cells(azml_session_endpoint):
    azml_session_endpoint.reset()
    url = azml_session_endpoint.url
    given = f"url, score = '{url}/v1/chat/completions', '{url}/score'"
    return [CELLS[0], given, *CELLS[1:]]


def without_times(path):
    """The bytes of a notebook without the times of each cell that Jupyter notes, and papermill's account of its run."""
    document = json.loads(path.read_text())
    document["metadata"].pop("papermill", None)
    for cell in document["cells"]:
        for name in ("execution", "papermill"):
            cell["metadata"].pop(name, None)
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            cell["id"] = "papermill makes it anew"
    return json.dumps(document, indent=1).encode()


def run_twice(folder, *command):
    """Run a command that makes out.ipynb of in.ipynb twice, and return both files without Jupyter's times."""
    made = []
    for number in (1, 2):
        ran = program(folder, *command)
        assert ran.returncode == 0, ran.stderr[-3000:]
        path = folder / f"out{number}.ipynb"
        (folder / "out.ipynb").rename(path)
        made.append(without_times(path))
    return made


NBCONVERT = ("nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--output", "out.ipynb", "in.ipynb")


def test_two_runs_by_nbconvert_are_the_same(cells, tmp_path):
    nbformat.write(notebook_of(*cells), tmp_path / "in.ipynb")
    first, second = run_twice(tmp_path, *NBCONVERT)
    assert first == second
    assert b"Tell me about rivers" in first
    assert b"application/vnd.azml.response.v1+json" in first
    assert KEY.encode() not in first
    [failed] = [cell for cell in json.loads(first)["cells"] for out in cell["outputs"] if out["output_type"] == "error"]
    assert failed["source"][0].startswith("%%azureml nowhere")


def test_two_runs_by_papermill_are_the_same(cells, tmp_path):
    notebook = notebook_of("topic = 'lakes'", *cells[:-1], "%%azureml chat\nTell me about {topic}")
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, tmp_path / "in.ipynb")
    command = ("papermill", "in.ipynb", "out.ipynb", "--no-progress-bar", "-p", "topic", "bogs")
    first, second = run_twice(tmp_path, *command)
    assert first == second
    assert b"bogs" in first


def test_two_runs_of_the_demo_are_the_same(tmp_path):
    nbformat.write(
        notebook_of("%load_ext azml_magics\n%azureml demo", "%%azureml\nTell me about rivers"),
        tmp_path / "in.ipynb",
    )
    first, second = run_twice(tmp_path, *NBCONVERT)
    assert first == second or _has_another_port(first, second)


def _has_another_port(first, second):
    """Whether the runs differ in the port alone: the demo's own was taken by another process in one of them."""
    return re.sub(rb"127\.0\.0\.1:\d+", b"", first) == re.sub(rb"127\.0\.0\.1:\d+", b"", second)


def test_nbdime_finds_no_difference_between_two_runs(cells, tmp_path):
    nbdime = pytest.importorskip("nbdime", reason='pip install -e ".[tools]"')
    nbformat.write(notebook_of(*cells), tmp_path / "in.ipynb")
    run_twice(tmp_path, *NBCONVERT)
    one, two = (nbformat.read(tmp_path / f"out{number}.ipynb", 4) for number in (1, 2))
    changes = nbdime.diff_notebooks(one, two)
    for notebook in (one, two):
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
    assert nbdime.diff_notebooks(one, two) == [], changes

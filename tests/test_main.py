"""`azml-magics demo --lab`: a copy of every tutorial to work in, and the embedded endpoint beside JupyterLab."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

import httpx
import pytest
from jupyter_client import KernelManager
from jupyter_core.paths import jupyter_runtime_dir

from azml_magics import __main__ as command_line
from azml_magics.core.install_hint import install_command, package_command
from azml_magics.demo import kernels, tutorials
from azml_magics.doctor import Fact
from tests.local_model.stand_in import gguf, xllamacpp  # noqa: F401 - fixtures

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PYPROJECT = NOTEBOOKS.parent / "pyproject.toml"
COPY = "azml-magics-notebooks"


def contents(folder):
    """name -> bytes of every file below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def lab(monkeypatch):
    """A stand-in for JupyterLab that records how it was called; `lab.while_open` runs while it is open."""

    class Lab:
        def __init__(self):
            self.command, self.environment, self.status = [], {}, 0
            self.extension, self.version = Fact("JupyterLab extension", "enabled"), "4.5.1"
            self.while_open = lambda: None

        def run(self, command, *, env, check):
            self.command, self.environment = command, env
            self.while_open()
            return subprocess.CompletedProcess(command, self.status)

    made = Lab()
    found, version_of = importlib.util.find_spec, importlib.metadata.version
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jupyterlab" or found(name))
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: made.version if name == "jupyterlab" else version_of(name)
    )
    monkeypatch.setattr(subprocess, "run", made.run)
    monkeypatch.setattr("azml_magics.demo.lab.examine_extension", lambda: made.extension)
    return made


def test_lab_opens_a_copy_of_every_tutorial(here, lab, capsys):
    assert command_line.main(["demo", "--lab", "--no-browser", "--port=9999"]) == 0
    assert contents(here / COPY) == contents(NOTEBOOKS)
    assert lab.command == [
        sys.executable,
        *("-m", "jupyterlab", str(Path(COPY, "01_quickstart.ipynb")), "--no-browser", "--port=9999"),
    ]
    assert COPY in capsys.readouterr().out


def test_changed_copies_are_kept(here, lab):
    command_line.main(["demo", "--lab"])
    changed, gone = here / COPY / "03_serverless_and_foundry.ipynb", here / COPY / "cassettes" / "12_smollm2.jsonl"
    changed.write_text("mine")
    gone.unlink()
    command_line.main(["demo", "--lab"])
    assert changed.read_text() == "mine"
    assert gone.is_file()


def test_installed_package_is_not_written_to(here, lab, monkeypatch, tmp_path):
    installed = tmp_path / "site" / "azml_magics" / "notebooks"
    shutil.copytree(NOTEBOOKS, installed)
    for path in installed.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = contents(installed)
    monkeypatch.setattr(tutorials, "find_tutorials", lambda: installed)
    assert command_line.main(["demo", "--lab"]) == 0
    assert contents(installed) == before == contents(here / COPY)
    (here / COPY / "01_quickstart.ipynb").write_text("a copy can be saved")
    (here / COPY / "cassettes" / "mine.jsonl").write_text("and a folder be written into")
    for path in installed.rglob("*"):
        path.chmod(0o700)


def test_endpoint_runs_as_long_as_lab(here, lab):
    answers = []

    def ask():
        url, key = lab.environment["AZML_DEMO_URL"], lab.environment["AZML_DEMO_KEY"]
        question = {"messages": [{"role": "user", "content": "Hello"}]}
        with httpx.Client(trust_env=False) as client:
            for authorization in (f"Bearer {key}", "Bearer another"):
                headers = {"Authorization": authorization}
                answers.append(client.post(f"{url}/v1/chat/completions", json=question, headers=headers).status_code)

    lab.while_open = ask
    assert command_line.main(["demo", "--lab"]) == 0
    assert answers == [200, 401]
    with pytest.raises(httpx.ConnectError):
        httpx.get(lab.environment["AZML_DEMO_URL"], trust_env=False)
    assert "AZML_DEMO_KEY" not in os.environ


def test_lab_status_is_returned_and_ctrl_c_succeeds(here, lab):
    lab.status = 3
    assert command_line.main(["demo", "--lab"]) == 3

    def interrupted():
        raise KeyboardInterrupt

    lab.while_open = interrupted
    assert command_line.main(["demo", "--lab"]) == 0


def test_missing_jupyterlab_names_the_extra(here, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command_line.main(["demo", "--lab"]) == 1
    assert capsys.readouterr().err == f"azml-magics demo --lab needs JupyterLab. Run {install_command('lab')}.\n"
    assert list(here.iterdir()) == []


def test_unwritable_folder_is_reported(here, lab, capsys):
    (here / COPY).write_text("a file in its place")
    assert command_line.main(["demo", "--lab"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"The tutorials cannot be copied to {COPY}: ")
    assert said.endswith("Run it in another folder.\n")
    assert lab.command == []


def test_every_tutorial_is_in_the_wheel():
    listed = re.findall(r'^"(notebooks/.*)" = "azml_magics/\1"$', PYPROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [*(f"notebooks/{path.name}" for path in sorted(NOTEBOOKS.glob("*.ipynb"))), "notebooks/cassettes"]


def test_unknown_options_go_to_lab_only(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["demo", "--no-browser"])
    assert "unrecognized arguments: --no-browser" in capsys.readouterr().err


def test_lab_without_a_browser_says_what_to_open(here, lab, monkeypatch, capsys):
    def none():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert command_line.main(["demo", "--lab"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "There is no browser here. Open the URL below in one; through ssh with -L 8888:localhost:8888."
    assert lab.command[-1] == "--no-browser"
    command_line.main(["demo", "--lab", "--no-browser"])
    assert "no browser here" not in capsys.readouterr().out


def test_old_jupyterlab_is_told_in_a_line(here, lab, capsys):
    lab.version = "3.6.8"
    assert command_line.main(["demo", "--lab", "--no-browser"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "JupyterLab 3.6.8 shows no side panel and no response viewer. "
        f"Run {package_command('--upgrade', 'jupyterlab>=4')}."
    )
    lab.version = "4.5.1"
    command_line.main(["demo", "--lab", "--no-browser"])
    assert "no side panel" not in capsys.readouterr().out


def test_missing_extension_is_told_in_a_line(here, lab, capsys):
    lab.extension = Fact("JupyterLab extension", "not installed", "It is not installed.", "Install Node.js")
    assert command_line.main(["demo", "--lab", "--no-browser"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "It is not installed. Install Node.js."


def test_home_that_cannot_be_written_is_one_line(here, lab, monkeypatch, capsys):
    (here / "home").write_text("a file in its place")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(here / "home" / "runtime"))
    assert command_line.main(["demo", "--lab"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"JupyterLab cannot write to {here / 'home' / 'runtime'} (")
    assert said.endswith("). Run HOME=/tmp/home azml-magics demo --lab.\n")
    assert said.count("\n") == 1
    assert lab.command == []


def test_lab_runs_this_interpreter_whatever_kernel_the_home_has(here, lab):
    described = []
    lab.while_open = lambda: described.append(
        json.loads(
            Path(lab.environment["JUPYTER_PATH"].split(os.pathsep)[0], "kernels/python3/kernel.json").read_text()
        )
    )
    assert command_line.main(["demo", "--lab", "--no-browser"]) == 0
    assert described[0]["argv"][0] == sys.executable


def test_model_beside_lab_is_found_by_kernels(here, lab, xllamacpp, gguf, capsys):  # noqa: F811 - fixtures
    statuses = []

    def ask():
        url, key = lab.environment["AZML_LOCAL_URL"], lab.environment["AZML_LOCAL_KEY"]
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        with httpx.Client(trust_env=False) as client:
            statuses.append(client.post(url, json=body, headers={"Authorization": f"Bearer {key}"}).status_code)

    lab.while_open = ask
    assert command_line.main(["demo", "--lab", "--no-browser", "--model", str(gguf())]) == 0
    assert statuses == [200]
    assert "Tiny-1B is running: %azureml demo --model finds it." in capsys.readouterr().out
    with pytest.raises(httpx.ConnectError):
        httpx.get(lab.environment["AZML_LOCAL_URL"], trust_env=False)


def test_missing_extra_of_the_demo_is_one_line(here, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert command_line.main(["demo"]) == 1
    assert capsys.readouterr().err == f"azml-magics demo needs uvicorn. Run {install_command('demo')}.\n"


@pytest.mark.parametrize("options", [["demo", "--model"], ["demo", "--lab", "--no-browser", "--model"]])
def test_missing_packages_of_the_model_are_one_line(here, lab, monkeypatch, capsys, options):
    monkeypatch.setattr("azml_magics.local_model.find_missing_packages", lambda _path: ["xllamacpp"])
    assert command_line.main(options) == 1
    assert capsys.readouterr().err == "A local model needs xllamacpp. Run pip install --no-deps xllamacpp.\n"
    assert lab.command == []


def test_broken_model_is_one_line(here, xllamacpp, tmp_path, capsys):  # noqa: F811 - a fixture
    path = tmp_path / "page.gguf"
    path.write_text("<html>")
    assert command_line.main(["demo", "--model", str(path)]) == 1
    assert "is not a GGUF file: it begins with b'<htm'. Download it again" in capsys.readouterr().err


def test_kernel_runs_this_interpreter_without_a_home(here, tmp_path, monkeypatch):
    other = tmp_path / "data" / "kernels" / "python3" / "kernel.json"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps({"argv": ["/no/such/python"], "display_name": "Old", "language": "python"}))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(other / "runtime"))  # below a file
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with kernels.own_kernel(temporary):
        manager = KernelManager(kernel_name=kernels.KERNEL)
        assert manager.kernel_spec.argv[0] == sys.executable
        assert jupyter_runtime_dir() == str(temporary / "runtime")
    assert os.environ["JUPYTER_RUNTIME_DIR"] == str(other / "runtime")


def test_model_runs_prompts_in_a_real_kernel(here, xllamacpp, gguf, capsys):  # noqa: F811 - a fixture
    assert command_line.main(["demo", "--model", str(gguf())]) == 0
    said = capsys.readouterr().out
    assert ">>> %azureml demo --model " in said
    assert "Loading Tiny-1B (0 MiB) ..." in said
    assert "What is a lighthouse for?" in said
    assert "These were real responses of a small model on this computer." in said


def test_failing_kernel_points_to_the_doctor(here, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert command_line.main(["demo"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The kernel does not start: ")
    assert said.endswith("Run azml-magics doctor, which says what is missing.\n")

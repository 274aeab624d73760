"""`azml-magics demo --lab`: a copy of every tutorial to work in, and the embedded endpoint beside JupyterLab."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from azml_magics import __main__ as command_line
from azml_magics.core.install_hint import install_command

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
            self.while_open = lambda: None

        def run(self, command, *, env, check):
            self.command, self.environment = command, env
            self.while_open()
            return subprocess.CompletedProcess(command, self.status)

    made = Lab()
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jupyterlab" or found(name))
    monkeypatch.setattr(subprocess, "run", made.run)
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
    monkeypatch.setattr(command_line, "find_tutorials", lambda: installed)
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
    assert capsys.readouterr().err == (f"azml-magics demo --lab needs JupyterLab.\nRun {install_command('lab')}.\n")
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

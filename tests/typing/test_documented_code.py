"""The code in README and docs is clean for type checkers, as a user's own program would be."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import azml_magics
import azml_magics.langchain

from .documented_code import ROOT, write_modules

pytest.importorskip("mypy", reason="the run with the oldest versions does not check types")


def run_mypy(*paths, cwd):
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--disable-error-code=import-untyped",
        "--cache-dir",
        str(cwd.parent / "mypy-cache"),  # all tests of a run use it: most of the time goes into other packages
    ]
    command += ["--python-version", "3.11"]  # the newest langchain-core does not parse as 3.10
    done = subprocess.run(
        [*command, *map(str, paths)],
        cwd=cwd,
        env={"PATH": "", "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_documented_code_is_clean_under_mypy_strict(tmp_path):
    modules = write_modules(tmp_path)
    assert len(modules) > 8
    assert run_mypy(*(module.name for module in modules), cwd=tmp_path) == ""


def test_program_with_every_public_name_is_clean_under_mypy_strict(tmp_path):
    program = ROOT / "tests" / "typing" / "public_names.py"
    named = set(re.findall(r"\w+", program.read_text(encoding="utf-8")))
    assert {*azml_magics.__all__, *azml_magics.langchain.__all__} <= named
    assert run_mypy(program, cwd=tmp_path) == ""


def test_mypy_finds_a_wrong_constructor_argument(tmp_path):
    (tmp_path / "wrong.py").write_text(
        "from azml_magics.langchain import AzureMLOnlineEndpoint\nAzureMLOnlineEndpoint(temperatur=0.1, timeout='x')\n"
    )
    output = run_mypy("wrong.py", cwd=tmp_path)
    assert 'Unexpected keyword argument "temperatur"' in output
    assert 'Argument "timeout"' in output

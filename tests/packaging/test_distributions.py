"""The checks that an index and its users make of the wheel and the sdist before a release."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
import zipfile

import pytest

from .conftest import only


def run(module, *arguments):
    """(exit status, output) of a program that is a module."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f'{module} is not installed: pip install -e ".[browser]"')
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_twine_finds_nothing_to_complain_of(dist):
    status, said = run("twine", "check", "--strict", only(dist, "*.whl"), only(dist, "*.tar.gz"))
    assert status == 0, said
    assert said.count("PASSED") == 2


def test_wheel_contains_one_package_and_nothing_twice(dist):
    status, said = run("check_wheel_contents", only(dist, "*.whl"))
    assert status == 0, said


def test_type_information_is_in_wheel_and_sdist(dist):
    with zipfile.ZipFile(only(dist, "*.whl")) as archive:
        assert "azml_magics/py.typed" in archive.namelist()
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        assert any(name.endswith("/azml_magics/py.typed") for name in archive.getnames())


def test_project_links_are_in_the_metadata(dist):
    with zipfile.ZipFile(only(dist, "*.whl")) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    for label in ("Source", "Issues", "Changelog", "Documentation"):
        assert f"\nProject-URL: {label}, https://" in metadata

"""A wheel and an sdist of this checkout, built once, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "azml_magics" / "labextension"


def build(source: Path, target: str, folder: Path, *, node: bool = True, **environment: str):
    """What hatchling says when it builds a target of `source` into `folder`; without `node`, none is on the PATH."""
    missing = {"hatchling", "editables"} - {found.metadata["Name"] for found in metadata.distributions()}
    if missing:
        pytest.skip(f'{" and ".join(sorted(missing))} is not installed: pip install -e ".[browser]"')
    path = os.environ["PATH"] if node else str(folder / "no-programs")
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    return subprocess.run(
        command,
        cwd=source,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


def copied(folder: Path, *, with_assets: bool) -> Path:
    """What of this checkout a build reads, in `folder`."""
    made = folder / "checkout"
    made.mkdir()
    for name in ("azml_magics", "labextension", "notebooks"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, made)
    if not with_assets:
        shutil.rmtree(made / "azml_magics" / "labextension", ignore_errors=True)
    return made


def only(folder: Path, pattern: str) -> Path:
    """The one file of that pattern."""
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """A folder with the wheel and the sdist: AZML_DIST, which .ci/run sets, or what this checkout gives."""
    if os.environ.get("AZML_DIST"):
        return Path(os.environ["AZML_DIST"])
    if not (BUILT / "inputs.sha256").is_file():
        pytest.skip("the JupyterLab extension was not built here: pip install -e . builds it where Node.js is")
    folder = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        done = build(ROOT, target, folder, AZML_LABEXTENSION="require")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder

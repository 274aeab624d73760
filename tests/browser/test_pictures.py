"""The script that takes the pictures of the documentation still does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CHROMIUM, _needs

ROOT = Path(__file__).parents[2]


def test_script_takes_pictures(tmp_path):
    for needed in ("playwright", "jupyterlab", "pillow"):
        _needs(needed)
    if not CHROMIUM:
        pytest.skip("there is no Chromium on the PATH")
    # in a process of its own: Playwright's event loop may be running in this one
    command = [sys.executable, "-m", "docs.pictures", "streaming", "rows", "--folder", str(tmp_path / "pictures")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=240)
    names = {"streaming-light.gif", "streaming-dark.gif", "rows-light.png", "rows-dark.png"}
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == names

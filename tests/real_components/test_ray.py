"""The recipe of docs/how-to/rows.md for Ray, run as it stands with a real Ray."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from azml_magics.emulator import Emulator

from .conftest import CHECKOUT

pytestmark = pytest.mark.real_component


def test_recipe_for_ray_sends_each_row_once(ray_python, tmp_path):
    with Emulator(key="ray-key-0123456789") as endpoint:
        run = subprocess.run(
            [
                str(ray_python),
                str(Path(__file__).with_name("ray_recipe.py")),
                str(CHECKOUT / "docs" / "how-to" / "rows.md"),
                f"{endpoint.url}/v1/chat/completions",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore", "RAY_USAGE_STATS_ENABLED": "0"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        out = json.loads(run.stdout.splitlines()[-1])
        sent = [request.json()["messages"][-1]["content"] for request in endpoint.requests]
    assert sorted(sent) == sorted(f"Glad or cross? letter {n}" for n in range(40))
    assert (len(out["texts"]), out["errors"]) == (40, 0)
    assert (tmp_path / "answers").is_dir()

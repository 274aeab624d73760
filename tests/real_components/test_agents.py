"""Rows for an agent of LangChain (LangGraph), in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import CHECKOUT

pytestmark = pytest.mark.real_component


def test_agent_takes_rows_and_needs_a_name_for_a_journal(agents_python, tmp_path):
    run = subprocess.run(
        [str(agents_python), str(Path(__file__).with_name("agents_program.py"))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore", "LANGSMITH_TRACING": "false"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    out = json.loads(run.stdout.splitlines()[-1])
    assert out["errors"] == []
    assert out["prompted"] == ["Answer: Dear is kind", "Answer: Go is kind"]
    assert out["tokens"] == 6, "the tokens of all of an agent's requests count"
    assert out["by_function"] == ["Answer: Number is kind"] * 2
    assert out["structured"] == [{"mood": "kind"}, "kind"]
    assert "A journal cannot tell this chain from another one: it has CompiledStateGraph" in out["refused"]
    assert out["asked"] == 2, "the journal answers the second run"

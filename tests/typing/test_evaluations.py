"""Type checkers know what evaluate returns."""

from __future__ import annotations

from .documented_code import ROOT
from .test_documented_code import run_mypy


def test_evaluate_returns_an_evaluation(tmp_path):
    assert run_mypy(ROOT / "tests" / "typing" / "evaluations.py", cwd=tmp_path) == ""

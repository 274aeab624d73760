"""Type checkers know what map_rows returns, and every public type hint resolves at run time."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from typing import get_type_hints

import pytest

from azml_magics import amap_rows, map_rows
from azml_magics.rows.argument_types import Target
from azml_magics.rows.progress import Bar, Progress
from azml_magics.rows.results import Results
from azml_magics.rows.run_options import RunOptions
from azml_magics.rows.table_rows import Record, TableRow

from .documented_code import ROOT
from .test_documented_code import run_mypy


def test_map_rows_returns_the_type_of_its_table(tmp_path):
    pytest.importorskip("polars", reason="polars is optional")
    assert run_mypy(ROOT / "tests" / "typing" / "rows.py", cwd=tmp_path) == ""


@pytest.mark.parametrize("function", [map_rows, amap_rows])
def test_hints_of_functions_resolve(function):
    hints = get_type_hints(function)
    assert set(hints) == {*inspect.signature(function).parameters, "return"}
    assert hints["config"] == Target


@pytest.mark.parametrize("kind", [Bar, Progress, Record, Results, RunOptions, TableRow])
def test_hints_of_classes_resolve(kind):
    get_type_hints(kind)
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        is_generated = name == "__init__" and is_dataclass(kind)  # its hints are those of the class
        if method.__module__.startswith("azml_magics.rows") and not is_generated:
            get_type_hints(method)

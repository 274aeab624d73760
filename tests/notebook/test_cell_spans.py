"""A cell is one span, with its calls below it; `%config AzureMLMagics.mlflow` says in one line what it lacks."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest


@pytest.fixture
def cells(notebook, azml_endpoint):
    """A notebook with a config `prod`."""
    url = f"{azml_endpoint.url}/v1/chat/completions"
    notebook.ok(f"%azureml save prod --url {url} --key env:AZML_TEST_KEY")
    return notebook


def find_root(spans):
    (root,) = (span for span in spans() if span.parent is None)
    assert {span.context.trace_id for span in spans()} == {root.context.trace_id}
    return root


@pytest.mark.parametrize("options", ["", "--no-stream", "-q"])
def test_cell_is_a_span_with_its_call(cells, spans, options):
    cells.ok(f"%%azureml prod {options}\nWrite a haiku.")
    root = find_root(spans)
    assert root.name == "cell"
    assert root.attributes["azml_magics.config"] == "prod"
    (call,) = spans("chat")
    assert call.parent.span_id == root.context.span_id
    assert "haiku" not in "".join(span.to_json() for span in spans())


def test_side_by_side_calls_are_below_their_cell(cells, spans):
    cells.ok("%%azureml prod -n 4 -q\nWrite a haiku.")
    root = find_root(spans)
    assert [call.parent.span_id for call in spans("chat")] == [root.context.span_id] * 4


def test_rows_of_a_cell_are_below_it(cells, spans):
    cells.vars["words"] = ["a", "b", "c"]
    cells.ok("%%azureml prod --each $words -q\nWrite about {text}.")
    root = find_root(spans)
    (run,) = spans("map_rows")
    assert run.parent.span_id == root.context.span_id
    assert len(spans("chat")) == 3


def test_dry_run_has_no_span(cells, spans):
    cells.ok("%%azureml prod --dry-run\nWrite a haiku.")
    assert not spans()


def test_cell_that_fails_has_a_span_that_fails(cells, spans, azml_endpoint):
    azml_endpoint.script(["401", "401", "401"])
    cells.refused("%%azureml prod\nWrite a haiku.")
    assert not find_root(spans).status.is_ok


# ---- MLflow


def test_mlflow_that_is_missing_is_one_line(cells, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    ran = cells.ok("%config AzureMLMagics.mlflow = True")
    said = ran.stdout + ran.stderr
    assert said.count("\n") == 1, said
    assert "Tracing into MLflow needs mlflow" in said
    assert "pip install" in said
    assert cells.ok("%config AzureMLMagics.mlflow").stdout + str(cells.ok("get_ipython()").result)
    assert not cells.shell.magics_manager.registry["AzureMLMagics"].mlflow


def test_mlflow_that_is_old_is_one_line(cells, monkeypatch):
    old = ModuleType("mlflow")
    old.__version__ = "2.9.2"
    monkeypatch.setitem(sys.modules, "mlflow", old)
    ran = cells.ok("%config AzureMLMagics.mlflow = True")
    said = ran.stdout + ran.stderr
    assert said.count("\n") == 1, said
    assert "needs mlflow 3 or later, and this is mlflow 2.9.2" in said
    cells.ok("%%azureml prod\nWrite a haiku.")

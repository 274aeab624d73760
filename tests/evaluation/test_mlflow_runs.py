"""What is logged to MLflow, seen by a stand-in for it; the real one is in tests/real_components."""

from __future__ import annotations

import contextlib
import sys
from types import SimpleNamespace

import pytest

from azml_magics import Secret
from azml_magics.errors import EvaluationFailed

from .evaluations import PROMPT, length, make_evaluation, make_settings, rate_limit


class Mlflow:
    """Keeps what is logged, as `runs`."""

    def __init__(self, active=None):
        self.active, self.experiment, self.runs = active, None, []

    def active_run(self):
        return self.active

    def set_experiment(self, name):
        self.experiment = name

    @contextlib.contextmanager
    def start_run(self, run_name, nested):
        self.runs.append({"name": run_name, "nested": nested, "texts": {}, "tables": {}})
        yield SimpleNamespace(info=SimpleNamespace(run_id=f"run-{len(self.runs)}"))

    def log_params(self, parameters):
        self.runs[-1]["parameters"] = parameters

    def log_metrics(self, metrics):
        self.runs[-1]["metrics"] = metrics

    def log_text(self, text, name):
        self.runs[-1]["texts"][name] = text

    def log_table(self, data, name):
        self.runs[-1]["tables"][name] = data


@pytest.fixture
def mlflow(monkeypatch):
    fake = Mlflow()
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    return fake


SETTINGS = make_settings("small", "large", model_kwargs={"temperature": 0, "stop": ["x" * 2000]}, price="100,200")
TABLE = [("a", "x", ["x", "y"]), ("b", "x", [rate_limit(), "x"])]


def test_each_setting_is_a_run_with_figures_and_outcomes(mlflow):
    evaluation = make_evaluation(TABLE, SETTINGS, scores=length)
    assert evaluation.to_mlflow("letters", "first") == ["run-1", "run-2"]
    assert mlflow.experiment == "letters"
    small, large = mlflow.runs
    assert (small["name"], large["name"], small["nested"]) == ("first small", "first large", False)
    assert small["metrics"]["accuracy"] == 1.0
    assert (small["metrics"]["errors"], small["metrics"]["accuracy_n"], small["metrics"]["length_mean"]) == (1, 1, 1)
    assert "agreement" not in small["metrics"]
    assert large["metrics"]["accuracy_p"] == 1.0
    assert large["metrics"]["cost"] == pytest.approx(0.0028)
    assert small["texts"] == {"prompt.txt": PROMPT}
    assert small["tables"]["outcomes.json"]["right"] == [True, None]
    assert small["tables"]["outcomes.json"]["error"] == [None, "RateLimitError: Too many requests"]


def test_parameters_are_short_and_named(mlflow):
    make_evaluation(TABLE, SETTINGS).to_mlflow()
    parameters = mlflow.runs[0]["parameters"]
    assert mlflow.experiment is None
    assert {"config": "small", "temperature": "0"}.items() <= parameters.items()
    assert len(parameters["stop"]) == 500
    assert not {"model", "deployment"} & set(parameters)


def test_run_inside_another_is_nested(monkeypatch):
    fake = Mlflow(active=object())
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    make_evaluation(TABLE, SETTINGS, prompt=PROMPT).to_mlflow()
    assert [run["nested"] for run in fake.runs] == [True, True]


def test_keys_are_in_no_export(mlflow, tmp_path):
    key = "sk-0123456789abcdefghij"
    settings = make_settings("small", "large", key=Secret(key), headers={"x-other": Secret(key)})
    evaluation = make_evaluation(TABLE, settings)
    evaluation.to_mlflow()
    evaluation.to_jsonl(tmp_path / "rows.jsonl")
    with pytest.raises(EvaluationFailed) as failed:
        evaluation.require("accuracy>=1.5")
    exported = [mlflow.runs, (tmp_path / "rows.jsonl").read_text("utf-8"), evaluation.to_dicts(), evaluation.to_text()]
    for text in (*map(repr, exported), evaluation.to_markdown(), repr(evaluation.summary()), repr(failed.value)):
        assert key not in text

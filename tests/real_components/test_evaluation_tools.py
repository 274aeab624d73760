"""Evaluations beside the tools of others: their scorers, their figures, and what they read of ours."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component


# ---- scorers


def test_scorers_of_autoevals_score_rows(run_tool):
    code = """
from autoevals import ExactMatch, Levenshtein
found = evaluation(score=[ExactMatch(), Levenshtein])
out = [values(found, "ExactMatch"), values(found, "Levenshtein"), [s.name for s in found.summary()[0].scores.values()]]
"""
    exact, distance, names = run_tool("autoevals", code)
    assert exact == [1.0, 0.0, 0.0, 1.0]
    assert (distance[0], distance[3]) == (1.0, 1.0)
    assert 0 < distance[2] < 1
    assert names == ["right", "ExactMatch", "Levenshtein"]


def test_metric_of_deepeval_scores_rows(run_tool):
    code = """
from deepeval.metrics import ExactMatchMetric
found = evaluation(score=ExactMatchMetric())
out = [values(found, "Exact Match"), found[0].scores["Exact Match"].reason]
"""
    found, reason = run_tool("deepeval", code)
    assert found == [1.0, 0.0, 0.0, 1.0]
    assert reason == "The actual and expected outputs are exact matches."


def test_evaluator_of_azure_ai_evaluation_scores_rows(run_tool):
    code = """
from azure.ai.evaluation import F1ScoreEvaluator
found = evaluation(score=F1ScoreEvaluator())
out = [values(found, "f1_score"), list(found.outcomes.columns.scores)]
"""
    assert run_tool("azure", code) == [[1.0, 0.0, 1.0, 1.0], ["right", "f1_score"]]


# ---- exports


def test_azure_ai_evaluation_reads_the_jsonl(run_tool, tmp_path):
    code = f"""
from azure.ai.evaluation import F1ScoreEvaluator, evaluate
path = {str(tmp_path / "rows.jsonl")!r}
evaluation().to_jsonl(path)
found = evaluate(data=path, evaluators={{"f1": F1ScoreEvaluator()}})
out = [[row["outputs.f1.f1_score"] for row in found["rows"]], found["metrics"]["f1.f1_score"]]
"""
    rows, mean = run_tool("azure", code)
    assert rows == [1.0, 0.0, 1.0, 1.0]
    assert mean == pytest.approx(0.75)


def test_mlflow_has_figures_parameters_and_outcomes(run_tool, tmp_path):
    code = f"""
import mlflow
mlflow.set_tracking_uri("sqlite:///{tmp_path}/mlflow.db")
mlflow.create_experiment("letters", artifact_location="{(tmp_path / "artefacts").as_uri()}")
(run_id,) = evaluation(price="1,2").to_mlflow(experiment="letters", run_name="first")
run = mlflow.get_run(run_id)
table = mlflow.load_table("outcomes.json", run_ids=[run_id])
prompt = mlflow.artifacts.load_text(f"runs:/{{run_id}}/prompt.txt")
out = [run.data.metrics, run.data.params, run.info.run_name, list(table["right"]), prompt]
"""
    metrics, parameters, name, right, prompt = run_tool("mlflow", code)
    assert (metrics["accuracy"], metrics["accuracy_n"], metrics["rows"], metrics["errors"]) == (0.75, 4, 4, 0)
    assert metrics["accuracy_low"] == pytest.approx(0.3006, abs=1e-4)
    assert parameters == {"config": "letters"}
    assert name == "first letters"
    assert right == [True, False, True, True]
    assert prompt == "{letter} -> {answer}"


def test_mlflow_scorer_is_a_scorer(run_tool):
    code = """
from mlflow.genai import scorer
@scorer
def same(outputs, expectations):
    return outputs == expectations["expected_response"]
found = evaluation(score=same)
out = values(found, "same")
"""
    assert run_tool("mlflow", code) == [True, False, False, True]


# ---- figures


def test_accuracy_and_confusion_are_those_of_scikit_learn(run_tool):
    code = """
from sklearn.metrics import accuracy_score, confusion_matrix
found = evaluation()
frame = found.to_pandas()
answers = frame["text"].str.lower().str.strip(".")
table = found.confusion()
out = [
    accuracy_score(frame["label"], answers), found.summary()[0].accuracy.mean,
    confusion_matrix(frame["label"], answers, labels=list(table.expected)).tolist(), table.counts,
]
"""
    theirs, ours, matrix, counts = run_tool("figures", code)
    assert theirs == ours == 0.75
    assert matrix == counts == [[1, 1], [0, 2]]


def test_function_over_all_rows_is_refused_with_the_way(run_tool):
    code = """
from sklearn.metrics import accuracy_score
try:
    evaluation(score=accuracy_score)
except Exception as error:
    out = str(error)
"""
    assert "takes all rows at once" in run_tool("figures", code)


def test_wilson_intervals_are_those_of_statsmodels(run_tool):
    code = """
from statsmodels.stats.proportion import proportion_confint
from azml_magics.evaluation.statistics import wilson_interval
pairs = [(right, n) for n in (1, 2, 7, 60, 1000) for right in {0, 1, n // 3, n}]
out = max(
    abs(a - b)
    for right, n in pairs
    for a, b in zip(wilson_interval(right, n), proportion_confint(right, n, method="wilson"))
)
"""
    assert run_tool("figures", code) < 1e-9


def test_mcnemar_is_that_of_statsmodels(run_tool):
    code = """
from statsmodels.stats.contingency_tables import mcnemar
from azml_magics.evaluation.statistics import mcnemar_p
pairs = [(0, 0), (1, 0), (5, 0), (7, 1), (20, 9), (121, 59), (500, 430)]
out = max(abs(mcnemar_p(b, c) - mcnemar([[10, b], [c, 10]], exact=True).pvalue) for b, c in pairs if b + c)
"""
    assert run_tool("figures", code) < 1e-9


def test_bootstrap_and_permutations_are_near_those_of_scipy(run_tool):
    code = """
import numpy as np
from scipy import stats
from azml_magics.evaluation.statistics import mean_interval, paired_difference
rng = np.random.default_rng(1)
out = []
for n in (12, 80, 400):
    first = rng.normal(3, 1, n)
    second = first + rng.normal(0.15, 0.6, n)
    ours = mean_interval(list(first))
    theirs = stats.bootstrap((first,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    p = stats.permutation_test(
        (second, first), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    width = theirs.high - theirs.low
    out.append([abs(ours.low - theirs.low) / width, abs(ours.high - theirs.high) / width,
                abs(paired_difference(list(first), list(second)).p - p)])
"""
    for low, high, p in run_tool("figures", code):
        assert low < 0.06
        assert high < 0.06
        assert p < 0.02


def test_kappa_and_percentiles_are_those_of_statsmodels_and_numpy(run_tool):
    code = """
import numpy as np
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa as theirs
from azml_magics.evaluation.statistics import fleiss_kappa, percentile
labels = np.random.default_rng(2).integers(0, 3, (50, 5))
values = sorted(np.random.default_rng(3).random(101).tolist())
out = [
    abs(fleiss_kappa(labels.tolist()) - theirs(aggregate_raters(labels)[0])),
    abs(percentile(values, 0.95) - np.percentile(values, 95)), abs(percentile(values, 0.5) - np.median(values)),
]
"""
    assert max(run_tool("figures", code)) < 1e-9

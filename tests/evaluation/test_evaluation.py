"""What an evaluation says of its outcomes: figures, failures, the confusion table and exports."""

from __future__ import annotations

import json
import sys

import pytest

from azml_magics import Response, Usage
from azml_magics.errors import AzmlError, MissingPackageError, UsageError
from azml_magics.evaluation.outcome import Score

from .evaluations import length, make_evaluation, make_settings, rate_limit

SETTINGS = make_settings("small", "large")
TABLE = [
    ("Thank you!", "glad", ["glad", "Glad."]),
    ("Never again.", "cross", ["glad", "cross"]),
    ("So good.", "glad", ["glad", "cross"]),
    ("Late again.", "cross", [rate_limit(), "cross"]),
    ("Hm.", None, ["glad", "glad"]),
]


@pytest.fixture
def evaluation():
    return make_evaluation(TABLE, SETTINGS, scores=length)


def test_summary_has_a_line_for_each_setting(evaluation):
    small, large = evaluation.summary()
    assert [small.label, large.label] == ["small", "large"]
    assert (small.rows, small.sent, small.failed, dict(small.failures)) == (5, 5, 1, {"RateLimitError": 1})
    assert (small.accuracy.count, small.accuracy.n) == (2, 3)
    assert (large.accuracy.count, large.accuracy.n) == (3, 4)
    assert small.accuracy.interval.low == pytest.approx(0.2077, abs=1e-4)
    assert small.without_expectation == large.without_expectation == 1
    assert (small.prompt_tokens, small.completion_tokens, small.cost) == (40, 8, None)
    assert (small.latency_p50, large.latency_p95) == (pytest.approx(0.4), pytest.approx(0.5))


def test_failed_row_is_a_missing_score_not_a_wrong_one(evaluation):
    small, _ = evaluation.summary()
    assert small.accuracy.mean == pytest.approx(2 / 3)
    assert small.scores["length"].n == 4


def test_differences_are_those_of_rows_that_both_have(evaluation):
    small, large = evaluation.summary()
    assert small.accuracy.difference is None
    difference = large.accuracy.difference
    assert (difference.pairs, difference.value, difference.p) == (3, 0.0, 1.0)
    assert difference.verdict == "no difference beyond chance (p = 1.00)"
    assert large.scores["length"].difference.pairs == 4


def test_repeats_of_a_row_are_one_observation():
    once = make_evaluation([("a", "x", ["x"]), ("b", "x", ["y"])] * 10, make_settings("small"))
    thrice = make_evaluation(
        [("a", "x", ["x"] * 3), ("b", "x", ["y"] * 3)] * 10, make_settings("small"), repeats=3, scores=length
    )
    (alone,), (repeated,) = once.summary(), thrice.summary()
    assert repeated.accuracy.n == 60
    assert repeated.accuracy.interval == pytest.approx(alone.accuracy.interval)


def test_agreement_is_the_share_of_rows_with_one_answer():
    table = [
        ("a", "x", ["x", "X.", "x"]),
        ("b", "x", ["y", "x", "y"]),
        ("c", None, ["Z", "z", rate_limit()]),
        ("d", None, ["z", rate_limit(), rate_limit()]),
    ]
    (summary,) = make_evaluation(table, make_settings("small"), repeats=3).summary()
    assert summary.agreement == pytest.approx(2 / 3)
    assert make_evaluation(TABLE, SETTINGS).summary()[0].agreement is None


def test_kappa_is_agreement_beyond_chance():
    table = [("a", "x", ["x", "x."]), ("b", "x", ["y", "y"]), ("c", "x", ["x", "y"])]
    evaluation = make_evaluation(table, make_settings("small"), repeats=2)
    assert evaluation.kappa() == pytest.approx((2 / 3 - 0.5) / 0.5)
    assert make_evaluation(TABLE, SETTINGS).kappa(1) is None


def test_agreement_of_objects_ignores_their_form():
    answers = [Response('{"a": 1}', parsed={"a": 1.0}), Response('{ "a":1 }', parsed={"a": 1})]
    (summary,) = make_evaluation([("a", None, answers)], make_settings("small"), repeats=2).summary()
    assert summary.agreement == 1


def test_cost_is_that_of_the_price():
    settings = make_settings("small", price="1,2,0.5")
    details = {"prompt_tokens_details": {"cached_tokens": 400_000}}
    answers = [Response("x", usage=Usage(1_000_000, 500_000, details=details)), Response("x")]
    (summary,) = make_evaluation([("a", "x", answers[:1]), ("b", "x", answers[1:])], settings).summary()
    assert summary.cost == pytest.approx(0.6 + 0.2 + 1.0)
    assert (summary.unpriced, summary.cached_tokens) == (1, 400_000)


def test_scores_that_failed_are_counted_apart():
    def grade(answer):
        return [Score("grade", None, error="ValueError: no") if answer == "glad" else Score("grade", 3.0)]

    small, _ = make_evaluation(TABLE, SETTINGS, scores=grade).summary()
    assert (small.scores["grade"].n, small.scores["grade"].errors, small.scores["grade"].mean) == (0, 4, None)
    assert small.accuracy.errors == 0


def test_evaluation_without_expectations_has_no_accuracy():
    small, _ = make_evaluation(TABLE, SETTINGS, expects=False).summary()
    assert small.accuracy is None
    assert small.without_expectation == 0


def test_evaluation_of_nothing_has_figures():
    (summary,) = make_evaluation([], make_settings("small")).summary()
    assert (summary.rows, summary.accuracy, summary.latency_p50, summary.failed) == (0, None, None, 0)


def test_headline_counts_rows_settings_and_failures():
    assert make_evaluation(TABLE, SETTINGS, note="Interrupted").headline() == (
        "5 rows x 2 settings = 10 responses, 1 failed. Interrupted"
    )
    assert make_evaluation([("a", "x", [None])], make_settings("small")).headline() == "1 row, 1 not sent"


def test_evaluation_is_a_batch_of_outcomes(evaluation):
    assert len(evaluation) == 10
    assert (evaluation[1].text, evaluation[1].setting.label, evaluation[-1].row["letter"]) == ("Glad.", "large", "Hm.")
    assert evaluation[:2].texts == ["glad", "Glad."]
    assert [outcome.is_right for outcome in evaluation][:4] == [True, True, False, True]
    assert sum(error is not None for error in evaluation.errors) == 1


# ---- failures and confusion


def test_failures_are_grouped_by_cause_with_examples():
    table = [("a", "cross", ["glad"])] * 5 + [
        ("b", "cross", [AzmlError("Request 17 was refused")]),
        ("c", "cross", [AzmlError("Request 18 was refused")]),
        ("d", "glad", ["word " * 40]),
        ("e", "glad", ["glad"]),
        ("f", "glad", [None]),
    ]
    groups = make_evaluation(table, make_settings("small")).failures()
    assert [(group.kind, group.cause, group.count) for group in groups] == [
        ("wrong", "expected 'cross', got 'glad'", 5),
        ("error", "AzmlError: Request … was refused", 2),
        ("wrong", "expected 'glad', got a longer text", 1),
    ]
    assert [len(group.examples) for group in groups] == [3, 2, 1]
    assert groups[0].examples[0].row["letter"] == "a"


def test_examples_are_of_different_rows_first():
    table = [(letter, "cross", ["glad"] * 4) for letter in "abcd"]
    (group,) = make_evaluation(table, make_settings("small", "large"), repeats=2).failures()
    assert (group.count, [example.row["letter"] for example in group.examples]) == (16, ["a", "b", "c"])
    (group,) = make_evaluation(table[:1], make_settings("small", "large"), repeats=2).failures()
    assert [example.setting.label for example in group.examples] == ["small", "small", "large"]


def test_rare_causes_are_one_group():
    table = [(str(n), f"{n}", [f"{n + 1}"]) for n in range(60)] + [("a", "x", ["y"])] * 2
    groups = make_evaluation(table, make_settings("small")).failures()
    assert (groups[0].cause, groups[0].count) == ("expected 'x', got 'y'", 2)
    assert (len(groups), groups[-1].cause, groups[-1].count) == (51, "wrong in other ways", 11)
    assert [example.row["letter"] for example in groups[-1].examples] == ["49", "50", "51"]


def test_scorers_that_raise_are_failures():
    def fails(answer):
        return [Score("grade", None, error="ValueError: no grade")]

    groups = make_evaluation([("a", "x", ["x"])], make_settings("small"), scores=fails).failures()
    assert [(group.kind, group.cause) for group in groups] == [("score", "grade: ValueError: no grade")]


def test_confusion_counts_answers_by_expected_label(evaluation):
    table = evaluation.confusion(1)
    assert (table.expected, table.answers) == (["cross", "glad"], ["cross", "glad"])
    assert table.counts == [[2, 0], [1, 1]]
    assert evaluation.confusion(0).counts == [[0, 1], [0, 2]]


def test_confusion_has_other_answers_last_and_folds_case():
    table = [("a", "Glad", ["glad"]), ("b", "glad", ["CALM"]), ("c", "glad", ["calm"]), ("d", "glad", ["word " * 40])]
    found = make_evaluation(table, make_settings("small")).confusion()
    assert (list(found.expected), list(found.answers)) == (["Glad"], ["Glad", "CALM"])
    assert (found.counts, found.left_out) == ([[1, 2]], 1)


def test_confusion_of_many_labels_is_none():
    table = [(str(n), f"label {n}", ["x"]) for n in range(21)]
    assert make_evaluation(table, make_settings("small")).confusion() is None
    assert make_evaluation(table[:20], make_settings("small")).confusion() is not None
    assert make_evaluation(TABLE, SETTINGS, expects=False).confusion() is None


# ---- exports


def test_frame_has_a_line_for_each_outcome(evaluation):
    frame = evaluation.to_pandas()
    assert len(frame) == 10
    assert list(frame["config"][:2]) == ["small", "large"]
    assert str(frame["right"].dtype) == "boolean"
    failed = frame[frame["error"].notna()]
    assert failed["right"].isna().all()
    assert failed["length"].isna().all()
    assert frame.groupby("config")["right"].mean()["large"] == 0.75


def test_frame_keeps_columns_that_scores_are_named_like():
    scores = lambda answer: [Score("letter", 1.0)]  # noqa: E731 - one expression
    frame = make_evaluation(TABLE, SETTINGS, scores=scores).to_pandas()
    assert set(frame["letter"].dropna()) == {1.0}
    assert frame["row_letter"][0] == "Thank you!"


def test_frame_without_pandas_names_the_way(evaluation, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match=r"to_pandas\(\) needs pandas"):
        evaluation.to_pandas()
    assert len(evaluation.to_dicts()) == 10


def test_jsonl_has_what_azure_ai_evaluation_reads(evaluation, tmp_path):
    evaluation.to_jsonl(tmp_path / "out.jsonl", setting=0)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert lines[0] == {"query": "Glad or cross? Thank you!", "response": "glad", "ground_truth": "glad"}
    assert len(lines) == 4
    assert "ground_truth" not in lines[-1]
    evaluation.to_jsonl(tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert {line["setting"] for line in lines} == {"small", "large"}
    assert sorted(path.name for path in tmp_path.glob("*jsonl*")) == ["all.jsonl", "out.jsonl"]


def test_jsonl_of_any_text_is_readable(tmp_path):
    table = [("line\none", 1.0, ["half \ud83d of\u2028it"])]
    make_evaluation(table, make_settings("small")).to_jsonl(str(tmp_path / "out.jsonl"))
    (line,) = (tmp_path / "out.jsonl").read_text("utf-8").split("\n")[:-1]
    assert json.loads(line)["response"] == "half \ufffd of\u2028it"
    assert json.loads(line)["ground_truth"] == "1"


def test_jsonl_that_cannot_be_written_says_why(evaluation, tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        evaluation.to_jsonl(tmp_path / "no" / "out.jsonl")
    with pytest.raises(UsageError, match="There is no setting 2"):
        evaluation.to_jsonl(tmp_path / "out.jsonl", setting=2)
    assert list(tmp_path.glob("*jsonl*")) == []


def test_mlflow_is_asked_for_only_when_needed(evaluation, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingPackageError, match=r"to_mlflow\(\) needs mlflow"):
        evaluation.to_mlflow()

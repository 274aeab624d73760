"""Scorers: what a function may look like, what it is called with, and what it may return."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import LLMConfig, Response
from azml_magics.errors import UsageError
from azml_magics.evaluation.outcome import Outcome
from azml_magics.evaluation.score_values import read_scores
from azml_magics.evaluation.scorers import as_scorer, as_scorers
from azml_magics.evaluation.settings import Setting

CONFIG = LLMConfig(endpoint_url="https://x.inference.ml.azure.com/score", name="small")
SETTING = Setting(0, CONFIG, {"config": "small"})
ROW = {"letter": "Thank you!", "label": "glad", "context": "a letter"}
OUTCOME = Outcome(
    SETTING,
    CONFIG,
    Response("Glad.", parsed={"mood": "glad"}),
    row=ROW,
    prompt="Glad or cross? Thank you!",
    expected={"": "glad"},
)


def scores_of(function, outcome=OUTCOME):
    return [(score.name, score.value) for score in as_scorer(function).score(outcome)]


def returning(value):
    def measure(row, response):
        return value

    return scores_of(measure)


def test_function_gets_row_and_response():
    def length(row, response):
        return len(response.text) + len(row["letter"])

    assert scores_of(length) == [("length", 15.0)]
    assert scores_of(lambda r, a: r["label"] in a.text.lower()) == [("lambda", True)]


def test_parameters_are_filled_in_by_name():
    def by_name(output, expected, input, context):  # noqa: A002 - autoevals' name
        return [output, expected, input, context] == ["Glad.", "glad", OUTCOME.prompt, "a letter"]

    def of_text(text, label):
        return text.lower().startswith(label)

    def of_object(parsed):
        return parsed["mood"] == "glad"

    def of_outcome(outcome):
        return outcome is OUTCOME

    def swapped(response, row):
        return response.text == "Glad." and row["label"] == "glad"

    for function in (by_name, of_text, of_object, of_outcome, swapped):
        assert scores_of(function) == [(function.__name__, True)]


def test_several_expectations_come_as_a_dict():
    outcome = Outcome(SETTING, CONFIG, Response("{}"), expected={"mood": "glad", "stars": 4})
    assert scores_of(lambda output, expected: expected == {"mood": "glad", "stars": 4}, outcome) == [("lambda", True)]


def test_missing_expectation_is_none():
    assert scores_of(lambda output, expected: expected is None, Outcome(SETTING, CONFIG, Response(""))) == [
        ("lambda", True)
    ]


def test_shape_of_autoevals():
    class Levenshtein:
        def __call__(self, output, expected=None, **kwargs):
            assert kwargs == {"input": OUTCOME.prompt}
            return SimpleNamespace(name="Levenshtein", score=0.8, metadata={"rationale": "one off"}, error=None)

    for given_as in (Levenshtein, Levenshtein()):
        (score,) = as_scorer(given_as).score(OUTCOME)
        assert (score.name, score.value, score.reason) == ("Levenshtein", 0.8, "one off")


def test_shape_of_deepeval_keeps_metrics_apart():
    class Metric:
        score = None
        __name__ = "Answer Relevancy"

        def measure(self, test_case, _show_indicator=True):
            assert not _show_indicator
            assert (test_case.input, test_case.actual_output) == (OUTCOME.prompt, "Glad.")
            assert (test_case.expected_output, test_case.retrieval_context) == ("glad", ["a letter"])
            self.score, self.reason = 0.5, "half of it"

    metric = Metric()
    (score,) = as_scorer(metric).score(OUTCOME)
    assert (score.name, score.value, score.reason) == ("Answer Relevancy", 0.5, "half of it")
    assert metric.score is None


def test_shape_of_azure_ai_evaluation():
    class F1ScoreEvaluator:
        def __call__(self, *args, **kwargs):
            assert kwargs == {
                "query": OUTCOME.prompt, "response": "Glad.", "ground_truth": "glad", "context": "a letter",
            }  # fmt: skip
            return {"f1_score": 1.0, "f1_score_threshold": 0.5, "f1_score_result": "pass", "f1_score_reason": "same"}

    (score,) = as_scorer(F1ScoreEvaluator()).score(OUTCOME)
    assert (score.name, score.value, score.reason) == ("f1_score", 1.0, "same")
    assert scores_of(lambda *, response, ground_truth: response == "Glad." and ground_truth == "glad") == [
        ("lambda", True)
    ]


def test_shape_of_mlflow():
    class Correctness:
        name = "correctness"

        def __call__(self, *, inputs=None, outputs=None, expectations=None, trace=None):
            assert (inputs, outputs, expectations) == (ROW, "Glad.", {"expected_response": "glad"})
            assert trace is None
            return SimpleNamespace(value="yes", rationale="it is")

    (score,) = as_scorer(Correctness()).score(OUTCOME)
    assert (score.name, score.value, score.reason) == ("correctness", True, "it is")


async def test_async_function_is_awaited():
    async def slow(row, response):
        return 0.5

    (score,) = await as_scorer(slow).score(OUTCOME)
    assert score.value == 0.5


@pytest.mark.parametrize(
    ("value", "scores"),
    [
        (True, True),
        (np.bool_(False), False),
        (3, 3.0),
        (np.float32(0.5), 0.5),
        (None, None),
        (math.nan, None),
        ({"score": 4, "reason": "good"}, 4.0),
        (np.array(2), 2.0),
    ],
)
def test_single_values_are_scores(value, scores):
    assert returning(value) == [("measure", scores)]


def test_dict_gives_a_score_for_each_number():
    assert returning({"words": 3, "is_short": True, "note": "fine"}) == [("words", 3.0), ("is_short", True)]
    assert returning({}) == [("measure", None)]
    assert returning([{"name": "a", "score": 1}, {"name": "b", "score": 2}]) == [("a", 1.0), ("b", 2.0)]


@pytest.mark.parametrize("value", ["good", b"1", object(), [1, "x"], {"note": "fine"}, {"score": "high"}])
def test_anything_else_is_no_score(value):
    with pytest.raises(TypeError, match="returned"):
        returning(value)


def test_infinite_score_is_refused():
    with pytest.raises(ValueError, match="infinite"):
        returning(math.inf)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_value_is_read_or_refused(value):
    try:
        scores = read_scores("it", value)
    except (TypeError, ValueError) as error:
        assert "returned" in str(error)  # noqa: PT017 - either is right
    else:
        assert all(score.value is None or math.isfinite(score.value) for score in scores)


def test_error_of_a_scorer_is_raised_for_its_row():
    with pytest.raises(ZeroDivisionError):
        scores_of(lambda row, response: 1 / 0)


def test_names_are_those_of_functions_and_classes():
    def length(row, response, unit=1):
        return len(response.text) / unit

    class Judge:
        def __call__(self, row, response):
            return 1

    assert as_scorer(functools.partial(length, unit=2)).name == "length"
    assert as_scorer(Judge()).name == "Judge"
    assert [scorer.name for scorer in as_scorers([length, Judge()])] == ["length", "Judge"]
    assert as_scorers(None) == []
    assert [scorer.name for scorer in as_scorers(length)] == ["length"]


def test_two_scorers_of_one_name_are_refused():
    with pytest.raises(UsageError, match="A scorer cannot be named 'lambda': two scorers have that name"):
        as_scorers([lambda row, response: 1, lambda row, response: 2])

    def right(row, response):
        return True

    with pytest.raises(UsageError, match="the comparison with what is expected has that name"):
        as_scorers([right])


def test_scores_of_one_name_from_two_scorers_are_an_error():
    def first(row, response):
        return {"words": 1}

    def second(row, response):
        return {"words": 2}

    one, other = as_scorers([first, second])
    one.score(OUTCOME)
    with pytest.raises(ValueError, match="its score 'words' is also that of first"):
        other.score(OUTCOME)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (5, "A scorer is a function of a row and its response, not 5"),
        (lambda x: 1, r"The scorer 'lambda' takes \(x\)"),
        (lambda a, b, c: 1, r"takes \(a, b, c\)"),
        (lambda y_true, y_pred: 1, "takes all rows at once"),
    ],
)
def test_what_cannot_be_called_for_a_row_is_refused(function, message):
    with pytest.raises(UsageError, match=message):
        as_scorer(function)


def test_class_that_needs_arguments_is_refused():
    class Factuality:
        def __init__(self, model):
            self.model = model

        def __call__(self, output, expected):
            return 1

    with pytest.raises(UsageError, match=r"needs model. Pass an object of it: Factuality\(model=…\)"):
        as_scorer(Factuality)


def test_builtin_without_names_gets_row_and_response():
    assert scores_of(max, Outcome(SETTING, CONFIG, 2.0, row=1.0)) == [("max", 2.0)]

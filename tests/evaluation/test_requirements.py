"""Requirements: what they may say, when they are met, and what a failure tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.errors import AzmlError, EvaluationFailed, UsageError
from azml_magics.evaluation.requirements import parse_requirements
from azml_magics.evaluation.settings import Setting

from .evaluations import length, make_evaluation, make_settings, rate_limit

SETTINGS = make_settings("small", "large", price="100,200")
TABLE = [("a", "x", ["x", "x"]), ("b", "x", ["y", "x"]), ("c", "x", [rate_limit(), "x"]), ("d", "x", ["x", "x"])]


@pytest.fixture
def evaluation():
    return make_evaluation(TABLE, SETTINGS, scores=length)


@pytest.mark.parametrize(
    "text",
    [
        "large.accuracy>=0.9", "large.accuracy >= 90%", "large.accuracy == 1", "accuracy>0.6", "small.accuracy<1",
        "large.errors==0", "small.errors!=0", "errors<=1", "length.mean>=1", "length == 1", "p95<2", "small.p50 <= .1",
        "cost<0.5", "rows==4", "tokens<100", "large.accuracy.low>0.5", "accuracy.high>=0.9",
    ],
)  # fmt: skip
def test_requirement_that_is_met_says_nothing(evaluation, text):
    evaluation.require(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy>=0.9", r"accuracy>=0.9: small has 0.6667 \(2 of 3\)"),
        ("small.accuracy>=90%", r"small.accuracy>=90%: small has 0.6667"),
        ("errors==0", "errors==0: small has 1"),
        ("length.mean>=4", "length.mean>=4: small has 1; length.mean>=4: large has 1"),
        ("cost<0.001", "cost<0.001: small has 0.0042"),
        ("agreement>0.5", "agreement>0.5: small has no value"),
    ],
)
def test_requirement_that_is_not_met_names_the_figure(evaluation, text, message):
    with pytest.raises(EvaluationFailed, match=message):
        evaluation.require(text)


def test_failure_names_rows_and_keeps_the_evaluation(evaluation):
    with pytest.raises(EvaluationFailed) as caught:
        evaluation.require(["accuracy>=0.9", "errors==0"])
    text = str(caught.value)
    assert text.startswith("The evaluation does not meet 2 requirements: accuracy>=0.9: small has 0.6667 (2 of 3); ")
    assert "Rows 1, 2: expected 'x', got 'y'" in text
    assert caught.value.batch is evaluation
    assert isinstance(caught.value, (AssertionError, AzmlError))
    assert "\n" not in text


def test_failure_with_many_rows_stays_short():
    evaluation = make_evaluation([(str(n), "x", ["y"]) for n in range(5000)], make_settings("small"))
    with pytest.raises(EvaluationFailed, match=r"Rows 0, 1, 2, 3, 4 and 4,995 more: expected 'x', got 'y'"):
        evaluation.require("accuracy>=0.9")


@pytest.mark.parametrize(
    "text",
    ["accuracy", "accuracy=0.9", ">=0.9", "accuracy>=", "accuracy>=high", "", "accuracy>=0.9 and errors==0", None],
)
def test_what_is_no_requirement_is_refused(text):
    with pytest.raises(UsageError, match="is not a requirement"):
        parse_requirements([text], SETTINGS, ["right"])


def test_unknown_figure_names_the_nearest_and_the_known():
    with pytest.raises(
        UsageError, match=r"no figure 'acuracy' to require. Did you mean 'accuracy'\? The figures are"
    ) as e:
        parse_requirements("acuracy>=0.9", SETTINGS, ["right", "judge"])
    assert "accuracy, judge, errors, p50, p95, cost" in str(e.value)


def test_unknown_setting_names_the_nearest():
    with pytest.raises(UsageError, match=r"no setting 'smal'. Did you mean 'small'\? The settings are small, large"):
        parse_requirements("smal.accuracy>=0.9", SETTINGS, ["right"])


def test_figure_of_a_function_may_come_with_the_run(evaluation):
    (requirement,) = parse_requirements("large.f1>=0.5", SETTINGS, ["right"], has_more=True)
    assert (requirement.metric, requirement.settings) == ("f1", (1,))
    with pytest.raises(EvaluationFailed, match="There is no figure 'f1' to require"):
        evaluation.require([requirement])


def test_cost_without_a_price_is_refused():
    with pytest.raises(UsageError, match="needs a price, and 'small' has none"):
        parse_requirements("cost<1", make_settings("small"), [])


def test_settings_of_a_sweep_are_named_by_label_or_value():
    (config,) = make_settings("small")
    settings = [
        Setting(at, config.config, {"config": name, "temperature": value})
        for at, (name, value) in enumerate([("small", 0), ("small", 0.5), ("large", 0)])
    ]

    def where(text):
        return parse_requirements(f"{text}accuracy>=0.9", settings, ["right"])[0].settings

    assert where("") == (0, 1, 2)
    assert where("config=small, temperature=0.5.") == (1,)
    assert where("small.") == (0, 1)
    assert where("temperature=0.5.") == (1,)
    assert where("0.5.") == (1,)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        (requirement,) = parse_requirements([text], SETTINGS, ["right"])
    except UsageError:
        return
    assert requirement.settings


def test_nothing_required_is_met(evaluation):
    evaluation.require([])
    assert parse_requirements(None, SETTINGS, []) == []

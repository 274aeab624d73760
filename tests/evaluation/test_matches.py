"""What counts as right: an answer of a model against the cell of a table."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics import LLMConfig, Response
from azml_magics.errors import UsageError
from azml_magics.evaluation.answers import as_number, has_expectation, last_number, normalize
from azml_magics.evaluation.expectations import Expectations
from azml_magics.evaluation.labels import describe_case_variants
from azml_magics.evaluation.matches import (
    MATCHES,
    match_named,
    match_scorer,
)
from azml_magics.evaluation.outcome import Outcome
from azml_magics.evaluation.preparation import prepare
from azml_magics.evaluation.settings import Setting

CONFIG = LLMConfig(endpoint_url="https://x.inference.ml.azure.com/score", name="small")
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
data = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


class Mood(enum.Enum):
    GLAD = "glad"


@dataclasses.dataclass
class Opinion:
    mood: object
    stars: object = None


def outcome(response, **expected):
    expected = {name.removeprefix("text"): value for name, value in expected.items()}
    setting = Setting(0, CONFIG, {"config": "small"})
    response = response if isinstance(response, Response) else Response(response)
    return Outcome(setting, CONFIG, response, expected=expected)


def is_match(match, answer, expected):
    return MATCHES[match](answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Glad.", "glad"),
        ("  glad \n", "GLAD"),
        ("new\tyork", "New  York!"),
        ("e\u0301t\u00e9", "\u00e9te\u0301"),
        ("STRASSE", "straße"),
        ("1", 1),
        ("1.", 1.0),
        (1, "1"),
        (1, "1.0"),
        ("1,000", 1000),
        (True, "true"),
        ("True", True),
        (True, 1),
        ("yes", np.str_("yes")),
        ("3", np.int64(3)),
        (Mood.GLAD, "Glad"),
        ("2026-01-02", pd.Timestamp("2026-01-02")),
        ("2026-01-02", dt.date(2026, 1, 2)),
        ("0.30", decimal.Decimal("0.3")),
        (0.1 + 0.2, 0.3),
        (["A", "b"], '["a", "B"]'),
        ({"x": 1}, '{"x": 1.0}'),
        (("a", 1), ["a", 1]),
        ('{"mood": "Glad", "stars": 4}', '{"stars":4.0,"mood":"glad"}'),
        ("[Glad]", "[glad]"),
        ("?", "?"),
        ("はい。", "はい"),
    ],
)
def test_normalized_match_ignores_form(answer, expected):
    assert is_match("normalized", answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("glad", "cross"),
        ("not glad", "glad"),
        ("1", "1.0"),
        ("01", "1"),
        ("x²", "x2"),
        ("C#", "C"),
        ("?", "!"),
        ("10", 1),
        (None, "glad"),
        (False, "true"),
        (["b", "a"], ["a", "b"]),
        ("", "glad"),
        ("true", "1"),
    ],
)
def test_normalized_match_tells_answers_apart(answer, expected):
    assert not is_match("normalized", answer, expected)


def test_exact_match_is_character_by_character():
    assert is_match("exact", "Glad.", "Glad.")
    assert is_match("exact", 1.0, "1")
    for other in ("glad.", "Glad", "Glad. ", "Glad.\n"):
        assert not is_match("exact", other, "Glad.")


@pytest.mark.parametrize(
    ("answer", "expected", "found"),
    [
        ("The mood is GLAD, I think.", "glad", True),
        ("gladly", "glad", False),
        ("in 10 days", "1", False),
        ("in 1 day", 1, True),
        ("a woman", "man", False),
        ("use C++ here", "C++", True),
        ("答えは東京です", "東京", True),
        ("答えはA社です", "A", True),
        ("new\n york city", "New York", True),
        ("snake_case", "case", True),
        ("cafés", "café", False),
        ("a (b) c", "(b)", True),
    ],
)
def test_contains_match_finds_whole_words(answer, expected, found):
    assert is_match("contains", answer, expected) is found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42), ("The sum is 1,234.5 kg.", 1234.5), ("3 + 4 = 7", 7), ("about 1.5e3", 1500), ("-3", -3), ("\u22123", -3),
        ("10-20", 20), ("2026-01-02", 2), ("costs $-5", -5), ("x .5", 0.5), ("1\u202f000", 1000), ("1234,567", 567),
        ("9" * 400, math.inf), ("none", None), ("", None), ("42 %", 42), ("**7**", 7), ("7.", 7),
    ],
)  # fmt: skip
def test_last_number_of_a_text(text, number):
    assert last_number(text) == number


def test_number_match_compares_the_last_number():
    assert is_match("number", "First 3, then 4: the answer is 12.", "12")
    assert is_match("number", 12, 12.0)
    assert not is_match("number", "12 and 13", 12)
    assert not is_match("number", "no idea", 12)
    with pytest.raises(ValueError, match="'a dozen' is not a number"):
        is_match("number", "12", "a dozen")


def test_regex_match_searches_for_the_expectation():
    assert is_match("regex", "Order 4711 shipped", r"\d{4}")
    assert not is_match("regex", "glad", "GLAD")
    with pytest.raises(ValueError, match="is not a regular expression"):
        is_match("regex", "glad", "(")


@given(data)
def test_every_value_is_itself(value):
    if not isinstance(value, (list, dict, float)):  # NaN is not
        assert is_match("normalized", value, value)
        assert is_match("exact", value, value)


@given(data, data)
def test_matches_never_raise_but_for_wrong_expectations(answer, expected):
    for name in ("normalized", "exact", "contains"):
        assert MATCHES[name](answer, expected) in {True, False}
    for name in ("number", "regex"):
        with contextlib.suppress(ValueError):  # the expectation is none
            assert MATCHES[name](answer, expected) in {True, False}


@given(st.text(), st.text())
def test_normalized_match_is_symmetric_and_stable(one, other):
    assert is_match("normalized", one, other) == is_match("normalized", other, one)
    assert normalize(normalize(one)) == normalize(one)


@given(st.integers(-(10**12), 10**12))
def test_numbers_are_read_with_and_without_separators(number):
    assert last_number(f"It is {number:,}.") == number
    assert last_number(f"{number}") == number
    assert as_number(f"{number:,}") == number


@given(st.text())
def test_last_number_reads_any_text(text):
    number = last_number(text)
    assert number is None or isinstance(number, float)


@pytest.mark.parametrize("value", [None, "", "  \n", float("nan"), np.nan, pd.NA, pd.NaT])
def test_empty_cells_are_no_expectation(value):
    assert not has_expectation(value)


@pytest.mark.parametrize("value", [0, False, "0", "no", [], 0.0, np.array([1, 2])])
def test_every_other_cell_is_an_expectation(value):
    assert has_expectation(value)


def test_unknown_match_names_the_nearest():
    with pytest.raises(UsageError, match=r"There is no match 'normalised'\. Did you mean 'normalized'"):
        match_named("normalised")


def test_response_is_right_or_wrong_with_its_labels():
    scorer = match_scorer("normalized", Expectations({"": "label"}))
    (right,) = scorer.score(outcome("GLAD.", text="glad"))
    (wrong,) = scorer.score(outcome("cross", text="glad"))
    assert (right.name, right.value, right.answer, right.expected) == ("right", True, "glad", "glad")
    assert (wrong.value, wrong.answer, wrong.expected) == (False, "cross", "glad")
    assert scorer.score(outcome("cross")) == []


def test_long_answer_is_no_label():
    (wrong,) = match_scorer("normalized", Expectations({"": "label"})).score(outcome("word " * 50, text="glad"))
    assert (wrong.value, wrong.answer) == (False, None)


@pytest.mark.parametrize("parsed", [{"mood": "Glad", "stars": 4}, Opinion("Glad", 4)])
def test_fields_of_a_schema_are_compared_each(parsed):
    scorer = match_scorer("normalized", Expectations({"mood": "m", "stars": "s"}))
    whole, mood, stars = scorer.score(outcome(Response("{}", parsed=parsed), mood="glad", stars=5))
    assert (whole.name, whole.value, whole.reason) == ("right", False, "wrong: stars")
    assert (mood.name, mood.value, stars.name, stars.value, stars.answer) == ("mood", True, "stars", False, "4")


def test_single_field_is_the_score_right():
    (score,) = match_scorer("normalized", Expectations({"mood": "m"})).score(
        outcome(Response("{}", parsed={"mood": "cross"}), mood="glad")
    )
    assert (score.name, score.value) == ("right", False)


def test_wrong_expectation_is_an_error_of_its_row():
    (score,) = match_scorer("number", Expectations({"": "label"})).score(outcome("12", text="a dozen"))
    assert score.value is None
    assert score.error == "ValueError: the expectation 'a dozen' is not a number"


def test_own_function_compares_and_its_error_is_kept():
    scorer = match_scorer(lambda answer, expected: np.bool_(expected in answer), Expectations({"": "label"}))
    assert scorer.score(outcome("so glad", text="glad"))[0].value is True
    scorer = match_scorer(lambda answer, expected: 1 / 0, Expectations({"": "label"}))
    assert scorer.score(outcome("so glad", text="glad"))[0].error == "ZeroDivisionError: division by zero"


def test_labels_that_differ_only_by_case_are_said():
    labels = ["glad", "cross", "Glad", "cross ", "GLAD", None, 3, "glad"]
    assert describe_case_variants("mood", labels) == (
        "Labels of 'mood' differ only by case or blanks: 'glad' and 'Glad' and 'GLAD'; 'cross' and 'cross '."
    )
    assert not describe_case_variants("mood", ["glad", "cross", "glad"])


def test_labels_that_differ_only_by_case_are_a_note_of_the_plan():
    rows = [{"letter": "a", "label": "glad"}, {"letter": "b", "label": "Glad"}, {"letter": "c", "label": None}]
    plan = prepare(CONFIG, "{letter}", rows, expect="label").plan
    assert plan.notes == ("Labels of 'label' differ only by case or blanks: 'glad' and 'Glad'.",)
    assert prepare(CONFIG, "{letter}", iter(rows), expect="label").plan.notes == ()
    empty = [{"letter": "a", "label": ""}, {"letter": "b", "label": float("nan")}]
    notes = prepare(CONFIG, "{letter}", empty, expect="label").plan.notes
    assert notes == ("No row has an expectation in the column 'label'.",)

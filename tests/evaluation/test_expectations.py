"""Expectations: the columns that hold right answers, checked before anything is sent."""

import math

import pytest

from azml_magics.core.errors import UsageError
from azml_magics.evaluation.expectations import WHOLE, Expectations


@pytest.mark.parametrize(
    ("argument", "columns"),
    [
        (None, {}),
        ("label", {WHOLE: "label"}),
        ("mood=label", {"mood": "label"}),
        (["mood=label", "tone = other column"], {"mood": "label", "tone": "other column"}),
        ({"mood": "label"}, {"mood": "label"}),
    ],
)
def test_argument_names_columns(argument, columns):
    assert Expectations.from_argument(argument).columns == columns


def test_column_named_twice_for_one_field_is_refused():
    with pytest.raises(UsageError, match="two columns for the text: 'a' and 'b'"):
        Expectations.from_argument(["a", "b"])


@pytest.mark.parametrize("wrong", [[1], [""]])
def test_argument_that_is_no_name_is_refused(wrong):
    with pytest.raises(UsageError, match="expect takes the name of a column"):
        Expectations.from_argument(wrong)


def test_missing_column_suggests_nearest():
    with pytest.raises(UsageError, match=r"no column 'lable'.*'label'"):
        Expectations.from_argument("lable").check(["letter", "label"], None)


def test_field_without_schema_is_refused():
    with pytest.raises(UsageError, match="there is no schema"):
        Expectations.from_argument("mood=label").check(["label"], None)


def test_unknown_field_suggests_nearest():
    with pytest.raises(UsageError, match=r"no field 'mod'.*'mood'"):
        Expectations.from_argument("mod=label").check(["label"], ["mood", "tone"])


@pytest.mark.parametrize("empty", [None, math.nan])
def test_empty_cell_expects_nothing(empty):
    assert Expectations.from_argument("label").of({"label": empty}) == {}


def test_values_keep_their_type():
    assert Expectations.from_argument("label").of({"label": 1}) == {WHOLE: 1}

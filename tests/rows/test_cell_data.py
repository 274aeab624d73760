"""Cells that have parts go out as JSON; everything else as its own text."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import types

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.rows.cell_data import as_prompt_value


@dataclasses.dataclass
class Point:
    x: int
    tags: tuple[str, ...]


class Place(pydantic.BaseModel):
    name: str
    at: Point


Pair = collections.namedtuple("Pair", "x y")


class SparkRow(tuple):
    """As pyspark's Row: a tuple with names."""

    __slots__ = ()

    def asDict(self):
        return dict(zip("xy", self, strict=True))


class Color(enum.Enum):
    RED = "red"


class Geometry:
    def __str__(self):
        return "POINT (12.5 41.9)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "ü"], 2: None}, '{"a": [1, "ü"], "2": null}'),
        ((1, 2.5), "[1, 2.5]"),
        (Pair(1, "b"), '{"x": 1, "y": "b"}'),
        ([SparkRow((1, None))], '[{"x": 1, "y": null}]'),
        (Point(1, ("a",)), '{"x": 1, "tags": ["a"]}'),
        (Place(name="Rome", at=Point(1, ())), '{"name": "Rome", "at": {"x": 1, "tags": []}}'),
        (types.MappingProxyType({"a": True}), '{"a": true}'),
        ({"day": dt.date(2026, 1, 2), "sum": decimal.Decimal("1.10"), "gap": float("nan")},
         '{"day": "2026-01-02", "sum": "1.10", "gap": null}'),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_cell_with_parts_is_json(value, text):
    assert as_prompt_value(value) == text


@pytest.mark.parametrize(
    "value",
    ["{}", 7, 2.5, True, dt.date(2026, 1, 2), decimal.Decimal("1.10"), Color.RED, Geometry(), {1}, b"x"],
    ids=repr,
)
def test_cell_without_parts_is_unchanged(value):
    assert as_prompt_value(value) is value


def test_arrays_of_numpy_are_json_and_their_numbers_are_numbers():
    numpy = pytest.importorskip("numpy", reason="numpy is optional")
    assert as_prompt_value(numpy.array(["a", "b"], dtype=object)) == '["a", "b"]'
    assert as_prompt_value([numpy.int64(1), numpy.float32(2.5), numpy.bool_(True)]) == "[1, 2.5, true]"
    assert as_prompt_value(numpy.array([[1, 2]])) == "[[1, 2]]"
    assert as_prompt_value(numpy.float64(0.1)) == 0.1


def test_series_in_a_cell_keeps_its_own_text():
    pd = pytest.importorskip("pandas", reason="pandas is optional")
    series = pd.Series([1, 2])
    assert as_prompt_value(series) is series


def test_list_that_contains_itself_is_unchanged():
    loop: list[object] = []
    loop.append(loop)
    assert as_prompt_value(loop) is loop


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    ).filter(lambda value: isinstance(value, (list, dict)))
)
def test_json_data_is_sent_without_loss(value):
    assert json.loads(as_prompt_value(value)) == value

"""Rows of every kind, and what is not one."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import sqlite3
import uuid

import pandas as pd
import pydantic
import pytest

from azml_magics.rows.row_values import is_plain, values_of

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Place:
    x: int
    y: str


class Model(pydantic.BaseModel):
    x: int
    y: str


class SparkRow(tuple):
    """As pyspark.sql.Row: a tuple with asDict."""

    __slots__ = ()

    def asDict(self):
        return {"x": self[0], "y": self[1]}


def database_row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute("select 1 as x, 'two' as y").fetchone()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "row",
    [
        {"x": 1, "y": "two"},
        Point(1, "two"),
        Place(1, "two"),
        Model(x=1, y="two"),
        SparkRow((1, "two")),
        database_row(),
        pd.Series({"x": 1, "y": "two"}),
    ],
    ids=lambda row: type(row).__name__,
)
def test_row_with_names_gives_its_values(row):
    assert dict(values_of(row)) == {"x": 1, "y": "two"}
    assert not is_plain(row)


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    "row",
    ["text", 1, 2.5, True, None, decimal.Decimal("1.5"), dt.date(2026, 1, 2), uuid.UUID(int=1), Color.RED],
    ids=repr,
)
def test_plain_value_is_a_row(row):
    assert values_of(row) is None
    assert is_plain(row)


class Thing:
    pass


@pytest.mark.parametrize("row", [[1], (1, 2), {1}, b"bytes", Thing(), Thing, len, iter([])], ids=repr)
def test_other_objects_are_not_rows(row):
    assert values_of(row) is None
    assert not is_plain(row)

"""The text of a value in a prompt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from azml_magics.core.prompt.value_text import describe_missing, text_of_value

FRAME = pd.DataFrame({"review": ["y" * 120] * 90, "n": range(90)})


@pytest.mark.parametrize(
    "value", [FRAME, FRAME["review"], pl.DataFrame(FRAME.to_dict("list")), pl.Series("r", FRAME["review"].to_list())]
)
def test_table_goes_out_whole(value):
    assert text_of_value(value).count("y") == 90 * 120


def test_short_table_looks_as_pandas_prints_it():
    assert text_of_value(FRAME[["n"]].head(2)) == str(FRAME[["n"]].head(2))


def test_wide_table_goes_out_as_csv():
    wide = pd.DataFrame([range(60)], columns=[f"c{number}" for number in range(60)])
    text = text_of_value(wide)
    assert text.startswith(",c0,c1,")
    assert text.endswith(",58,59")


def test_large_array_goes_out_whole():
    assert text_of_value(np.arange(5000)).split() == str(list(range(5000))).replace(",", "").replace(
        "[", "[   "
    ).split() or ("..." not in text_of_value(np.arange(5000)))


@pytest.mark.parametrize(
    "value", [1.5, None, True, "text", ["a"], {"b": 1}, np.float64(0.1), pd.Timestamp("2026-01-01")]
)
def test_other_values_are_converted_by_str(value):
    assert text_of_value(value) == str(value)


def test_object_that_shortens_itself_is_described():
    class Tensor:
        size = 4000

        def __str__(self):
            return "tensor([0, 1, ..., 3999])"

    assert describe_missing(Tensor()) == "a Tensor of 4,000 values"
    assert describe_missing(pd.Index(range(0, 500, 2)).astype(str)) == "a Index of 250 values"


@pytest.mark.parametrize("value", ["...", ["..."] * 50, 5, FRAME, np.arange(5000), object()])
def test_whole_texts_are_not_described(value):
    assert describe_missing(value) == ""

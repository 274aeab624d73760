"""Failed rows are grouped by cause, in words that are the same in every run."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError, RateLimitError
from azml_magics.rows.failures import Retry, describe_failures
from azml_magics.rows.sources import table_of
from azml_magics.rows.table_rows import TableRow

CONFIG = LLMConfig(endpoint_url="https://n.example.com/score")


def failed(*causes, kind=RateLimitError):
    return [TableRow({}, CONFIG, None, kind(cause), n, n) for n, cause in enumerate(causes)]


def test_equal_causes_are_one_line_with_the_rows():
    assert describe_failures(failed("busy", "busy", "busy")) == ["3 rows failed: RateLimitError: busy (rows 0, 1, 2)."]


def test_numbers_and_ids_are_left_out_of_causes_that_differ():
    rows = failed("Wait 12 s (request 3f2a-77).", "Wait 7.5 s (request 99ab-10).")
    assert describe_failures(rows) == ["2 rows failed: RateLimitError: Wait … s (request …) (rows 0, 1)."]


def test_number_that_all_causes_share_is_kept():
    assert describe_failures(failed("HTTP 429", "HTTP 429"))[0].startswith("2 rows failed: RateLimitError: HTTP 429 (")


def test_label_of_the_row_is_left_out():
    rows = [TableRow({}, CONFIG, None, PromptError(f"Row {i!r} has no column 'x'"), 0, i) for i in ("a", "b")]
    assert describe_failures(rows) == ["2 rows failed: PromptError: Row … has no column 'x' (rows a, b)."]


def test_most_frequent_cause_comes_first_and_five_are_shown():
    rows = failed(*"abcdef", "g", "g")
    lines = describe_failures(rows)
    assert lines[0] == "2 rows failed: RateLimitError: g (rows 6, 7)."
    assert lines[1] == "1 row failed: RateLimitError: a (row 0)."
    assert lines[5:] == ["2 rows failed for other reasons."]


def test_only_ten_rows_of_a_cause_are_named():
    assert describe_failures(failed(*["busy"] * 14))[0].endswith("(rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 4 more).")


@pytest.mark.parametrize("make", [list, pd.DataFrame, pl.DataFrame])
def test_selection_gives_the_failed_rows(make):
    out = make([{"word": "a", "error": None}, {"word": "b", "error": "busy"}])
    failed = eval(Retry(False, table_of(out).failed_rows).select_from("out"), {"out": out})
    assert [record.values["word"] for record in table_of(failed).records()] == ["b"]

"""Whose fault a failure is: the row's, the endpoint's, or nobody knows yet."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    FormatterError,
    JournalError,
    KeyNotFoundError,
    NotFoundError,
    ServiceUnavailableError,
)
from azml_magics.rows.failures import DEAD_AFTER, WRONG_AFTER, Health

GONE = APIConnectionError("gone")


@pytest.fixture
def health():
    made = Health()
    made.answered()
    return made


@pytest.mark.parametrize("kind", [AuthenticationError, NotFoundError, KeyNotFoundError, JournalError])
def test_where_no_other_row_would_fare_better_it_ends(health, kind):
    assert health.failed("row", kind("no"), 0.0, 1.0) == "end"


@pytest.mark.parametrize("error", [BadRequestError("no"), FormatterError("no"), ZeroDivisionError()])
def test_what_is_the_rows_own(health, error):
    assert [health.failed(row, error, 0.0, 1.0) for row in range(50)] == ["row"] * 50


@pytest.mark.parametrize("kind", [APIConnectionError, ServiceUnavailableError, APITimeoutError])
def test_what_may_be_the_endpoints_is_held_until_it_answers_another(health, kind):
    error = kind("hm")
    assert health.failed("a", error, 0.0, 1.0) == "held"
    assert not health.is_fine
    assert health.answered() == [("a", error)]
    assert health.is_fine
    assert health.held == []


def test_those_that_went_down_together_are_one_failure(health):
    verdicts = [health.failed(row, GONE, 0.0, 1.0) for row in range(64)]
    assert verdicts == ["held"] * 64
    later = [health.failed(row, GONE, 2.0, 3.0) for row in range(DEAD_AFTER)]
    assert later == ["held"] * (DEAD_AFTER - 1) + ["end"]


def test_an_answer_in_between_begins_the_count_anew(health):
    for _ in range(10):
        assert [health.failed("x", GONE, 9.0, 9.0) for _ in range(DEAD_AFTER)] == ["held"] * DEAD_AFTER
        health.answered()


def test_an_endpoint_that_answers_nobody_any_more_ends_it_at_once(health):
    assert health.failed("a", GONE, 0.0, 1.0, is_gone=True) == "end"
    assert health.failed("a", BadRequestError("no"), 0.0, 1.0, is_gone=True) == "row"


def test_refusals_before_any_answer_are_not_the_rows():
    fresh = Health()
    verdicts = [fresh.failed(row, BadRequestError("no"), 0.0, 1.0) for row in range(WRONG_AFTER)]
    assert verdicts == ["row"] * (WRONG_AFTER - 1) + ["end"]
    assert Health(has_answered=True).failed("a", BadRequestError("no"), 0.0, 1.0) == "row"

"""Whose failure it is: the row's, the endpoint's, or undecided."""

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
    ModelError,
    NotFoundError,
    ServiceUnavailableError,
)
from azml_magics.rows.failure_policy import MAX_REJECTED, MAX_TEMPORARY, FailurePolicy

DOWN = APIConnectionError("gone")


@pytest.fixture
def policy():
    return FailurePolicy(has_succeeded=True)


@pytest.mark.parametrize("kind", [AuthenticationError, NotFoundError, KeyNotFoundError, JournalError])
def test_error_of_every_row_ends_the_run(policy, kind):
    assert policy.record_failure("row", kind("no"), 0.0, 1.0) == "end"


@pytest.mark.parametrize("error", [BadRequestError("no"), FormatterError("no"), ZeroDivisionError()])
def test_rejection_after_a_success_is_the_rows_error(policy, error):
    assert [policy.record_failure(row, error, 0.0, 1.0) for row in range(50)] == ["row"] * 50


@pytest.mark.parametrize("kind", [APIConnectionError, ServiceUnavailableError, APITimeoutError])
def test_temporary_failure_is_pending_until_the_next_success(policy, kind):
    error = kind("hm")
    assert policy.record_failure("a", error, 0.0, 1.0) == "pending"
    assert not policy.is_healthy
    assert policy.record_success() == [("a", error)]
    assert policy.is_healthy
    assert policy.pending == []


def test_simultaneous_failures_count_once(policy):
    verdicts = [policy.record_failure(row, DOWN, 0.0, 1.0) for row in range(64)]
    assert verdicts == ["pending"] * 64
    later = [policy.record_failure(row, DOWN, 2.0, 3.0) for row in range(MAX_TEMPORARY)]
    assert later == ["pending"] * (MAX_TEMPORARY - 1) + ["end"]


def test_success_resets_the_count_of_temporary_failures(policy):
    for _ in range(10):
        verdicts = [policy.record_failure("x", DOWN, 9.0, 9.0) for _ in range(MAX_TEMPORARY)]
        assert verdicts == ["pending"] * MAX_TEMPORARY
        policy.record_success()


def test_unavailable_endpoint_ends_the_run_at_once(policy):
    assert policy.record_failure("a", DOWN, 0.0, 1.0, is_unavailable=True) == "end"
    assert policy.record_failure("a", BadRequestError("no"), 0.0, 1.0, is_unavailable=True) == "row"


def test_rejections_before_the_first_success_end_the_run():
    fresh = FailurePolicy()
    verdicts = [fresh.record_failure(row, BadRequestError("no"), 0.0, 1.0) for row in range(MAX_REJECTED)]
    assert verdicts == ["row"] * (MAX_REJECTED - 1) + ["end"]


def test_scoring_failures_never_end_the_run():
    fresh, error = FailurePolicy(), ModelError("it raised", error_code="scoring-failed")
    assert [fresh.record_failure(row, error, 0.0, 1.0) for row in range(3 * MAX_REJECTED)] == ["row"] * 60

"""max_tokens_total: when no further row starts."""

from __future__ import annotations

from azml_magics.rows.token_budget import TokenBudget


def test_budget_without_limit_is_never_spent():
    budget = TokenBudget(None)
    budget.record(10**9)
    assert budget.allows_another(1)
    assert budget.note == ""


def test_budget_expects_the_average_of_requests_in_flight():
    budget = TokenBudget(100)
    assert budget.allows_another(3)
    budget.record(30)
    assert budget.allows_another(3), "30 used, 60 expected"
    assert not budget.allows_another(4), "30 used, 90 expected"
    assert budget.note == "Stopped starting rows at the limit of 100 tokens"


def test_failed_requests_are_not_in_flight():
    budget = TokenBudget(100)
    budget.record(30)
    for _ in range(5):
        budget.record_failure()
    assert budget.allows_another(6)


def test_spent_budget_stays_spent():
    budget = TokenBudget(10)
    budget.record(10)
    assert not budget.allows_another(1)
    assert budget.is_spent
    assert not budget.allows_another(0)

"""limit and sample: which rows of a table are sent."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import UsageError
from azml_magics.rows.selection import select_rows
from azml_magics.rows.sources import table_of


def values(table):
    return [dict(record.values) for record in table.records()]


@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
def test_limit_takes_the_first_rows(make):
    assert values(select_rows(table_of(make(range(9)), "n"), 3, None)) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert len(values(select_rows(table_of(make(range(2)), "n"), 3, None))) == 2


@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
def test_sample_is_random_ordered_and_repeatable(make):
    def drawn():
        return [row["n"] for row in values(select_rows(table_of(make(range(1000)), "n"), None, 20))]

    rows = drawn()
    assert rows == drawn() == sorted(rows)
    assert len(set(rows)) == 20
    assert max(rows) > 500
    assert len(values(select_rows(table_of(make(range(5)), "n"), None, 20))) == 5


def test_selected_rows_are_numbered_from_zero():
    table = select_rows(table_of(iter(range(1000)), "n"), None, 3)
    assert [record.position for record in table.records()] == [0, 1, 2]


@pytest.mark.parametrize(("limit", "sample"), [(0, None), (None, -1), (2, 2)])
def test_wrong_numbers_are_refused(limit, sample):
    with pytest.raises(UsageError):
        select_rows(table_of([1]), limit, sample)

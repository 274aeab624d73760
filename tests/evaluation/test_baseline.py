"""A baseline: the journal of an earlier run, whose responses are found by what was asked."""

from __future__ import annotations

import pytest

from azml_magics import map_rows
from azml_magics.core.errors import JournalError

from .test_engine import ROWS, plan_for, run


def flips(evaluation, journal):
    return [(flip.after.row_index, flip.became_right) for flip in evaluation.flipped(str(journal))]


def test_flips_against_the_journal_of_an_evaluation(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()]), journal=journal)
    rows = [{**row, "label": "SAY x" if index == 1 else row["letter"]} for index, row in enumerate(ROWS)]
    before = dict(echo.sent)
    evaluation = run(plan_for([echo.config(name="new")], rows, sweep={"temperature": [1]}))
    assert flips(evaluation, journal) == []  # the responses are the same
    assert sum(echo.sent.values()) == 2 * sum(before.values())


def test_flips_tell_what_another_prompt_changed(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()]), journal=journal)
    rows = [{**row, "label": "SAY 0" if index == 0 else row["label"]} for index, row in enumerate(ROWS)]
    evaluation = run(plan_for([echo.config()], rows, prompt="{letter} too"))
    assert flips(evaluation, journal) == [(0, False), (1, False), (3, False), (5, False)]


def test_journal_of_rows_is_a_baseline(echo, tmp_path):
    journal = tmp_path / "rows.jsonl"
    map_rows(echo.config(), "{letter}", ROWS, journal=journal)
    evaluation = run(plan_for([echo.config()], prompt="{letter} too"))
    assert flips(evaluation, journal) == [(1, False), (3, False), (5, False)]


def test_baseline_finds_rows_in_another_order_and_equal_rows(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    rows = [ROWS[1], ROWS[3], ROWS[1]]
    run(plan_for([echo.config()], rows, repeats=2), journal=journal)
    evaluation = run(plan_for([echo.config()], [ROWS[3], ROWS[1]], prompt="{letter} too"))
    assert flips(evaluation, journal) == [(0, False), (1, False)]


def test_baseline_of_other_rows_is_refused(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()], [{"letter": "other", "label": "x"}]), journal=journal)
    evaluation = run(plan_for([echo.config()]))
    with pytest.raises(JournalError, match=r"'run.jsonl' has none of these rows"):
        evaluation.flipped(journal)


def test_baseline_with_a_prompt_of_other_columns_is_refused(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()], [{"note": "a", "label": "x"}], prompt="{note}"), journal=journal)
    evaluation = run(plan_for([echo.config()]))
    with pytest.raises(JournalError, match=r"The baseline 'run.jsonl' does not fit these rows"):
        evaluation.flipped(journal)


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"azml_magics_journal":1,"settings":{}}\n', b"\xff\xfe\n"])
def test_file_that_is_no_journal_is_refused(echo, tmp_path, content):
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    with pytest.raises(JournalError):
        run(plan_for([echo.config()], ROWS[:1])).flipped(file)


def test_missing_baseline_is_refused(echo, tmp_path):
    with pytest.raises(JournalError, match="cannot be read: No such file"):
        run(plan_for([echo.config()], ROWS[:1])).flipped(tmp_path / "missing.jsonl")


def test_baseline_of_a_function_is_found_with_the_same_function(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()], prompt=ask), journal=journal)
    evaluation = run(plan_for([echo.config()], prompt=ask))
    assert flips(evaluation, journal) == []


def ask(row):
    return row["letter"]


def test_journal_that_is_still_written_can_be_read(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()]), journal=journal)
    with journal.open("ab") as file:
        file.write(b'{"row":"00","n":')
    assert flips(run(plan_for([echo.config()])), journal) == []

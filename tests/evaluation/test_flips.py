"""What changed against a baseline: rows that became right or wrong, and what cannot be compared."""

from __future__ import annotations

import pytest

from azml_magics.errors import UsageError

from .evaluations import PROMPT, make_evaluation, make_settings, rate_limit


def evaluation_of(answers, *names, labels=None, prompt=PROMPT, **options):
    """An evaluation of the rows a, b, c ..., whose right answer is x, with a text of answers for each setting."""
    rows = "abcdefghij"[: len(answers[0])]
    table = [
        (
            letter,
            labels[at] if labels else "x",
            [column[at] if column[at] != "!" else rate_limit() for column in answers],
        )
        for at, letter in enumerate(rows)
    ]
    return make_evaluation(table, make_settings(*(names or ("small",))), prompt=prompt, **options)


def letters(flips):
    return "".join(flip.after.row["letter"] for flip in flips)


def test_rows_that_became_right_and_wrong():
    before, after = evaluation_of(["xyxy"]), evaluation_of(["xxyy"])
    flips = after.flipped(before)
    assert (letters(flips.became_right), letters(flips.became_wrong), len(flips)) == ("b", "c", 2)
    assert (flips[0].before.text, flips[0].after.text) == ("y", "x")
    assert flips.difference["small"].verdict == "no difference beyond chance (p = 1.00)"
    assert (list(flips.notes), flips.prompt_difference) == ([], "")


def test_failed_rows_do_not_flip():
    flips = evaluation_of(["x!xx"]).flipped(evaluation_of(["!xxx"]))
    assert len(flips) == 0
    assert flips.difference["small"].pairs == 2


def test_single_settings_are_compared_whatever_they_are_called():
    flips = evaluation_of(["xx"], "new").flipped(evaluation_of(["xy"], "old"))
    assert letters(flips.became_right) == "b"
    assert list(flips.difference) == ["new"]


def test_settings_of_the_same_label_are_compared():
    before = evaluation_of(["xy", "yy"], "small", "large")
    after = evaluation_of(["xx", "yx"], "huge", "large")
    flips = after.flipped(before)
    assert letters(flips.became_right) == "b"
    assert flips.notes == (
        "Only the baseline has the setting small.",
        "Only this evaluation has the setting huge.",
    )


def test_rows_are_matched_by_their_values():
    before = make_evaluation([("b", "x", ["y"]), ("a", "x", ["x"]), ("a", "x", ["y"])], make_settings("small"))
    after = make_evaluation([("a", "x", ["x"]), ("a", "x", ["x"]), ("c", "x", ["x"])], make_settings("small"))
    flips = after.flipped(before)
    assert [(flip.before.row_index, flip.after.row_index) for flip in flips] == [(2, 1)]
    assert flips.notes == ("1 row is in the baseline alone.", "1 row is not in the baseline.")


def test_another_prompt_is_said_with_its_difference():
    before = evaluation_of(["xy"], prompt="Glad or cross?\nLetter: {letter}")
    flips = evaluation_of(["xx"], prompt="Glad or cross? One word.\nLetter: {letter}").flipped(before)
    assert flips.prompt_difference == "- Glad or cross?\n+ Glad or cross? One word."
    assert flips.notes == ("The prompts differ: - Glad or cross? + Glad or cross? One word.",)
    assert letters(flips.became_right) == "b"


def test_rows_without_expectation_are_said():
    flips = evaluation_of(["xy"], expects=False).flipped(evaluation_of(["xx"]))
    assert flips.notes == ("No row has a right answer to compare in both: nothing can change.",)


def test_repeats_are_compared_one_by_one():
    before = make_evaluation([("a", "x", ["x", "y"])], make_settings("small"), repeats=2)
    after = make_evaluation([("a", "x", ["y", "y"])], make_settings("small"), repeats=2)
    assert [flip.after.setting.repeat for flip in after.flipped(before)] == [1]


def test_baseline_that_is_none_is_refused():
    with pytest.raises(UsageError, match="A baseline is an evaluation"):
        evaluation_of(["x"]).flipped([1])

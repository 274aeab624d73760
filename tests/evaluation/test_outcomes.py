"""Outcomes: rows by settings by repeats, in memory or in a temporary file."""

import math
import threading

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import RateLimitError
from azml_magics.core.response import Response, Usage
from azml_magics.evaluation.outcome import RIGHT, Outcome, Score
from azml_magics.evaluation.outcomes import Outcomes
from azml_magics.evaluation.settings import Setting
from azml_magics.rows.table_rows import Record

CONFIG = LLMConfig(name="small", endpoint_url="https://a.openai.azure.com/openai/v1")
SETTINGS = [Setting(0, CONFIG, {"config": "small"}), Setting(1, CONFIG, {"config": "large"})]


def fill(outcomes, rows=3, **values):
    for row in range(rows):
        outcomes.add_row(Record(row, f"r{row}", {"letter": row, **values}), {"": "glad"} if row else {})
        for setting in SETTINGS:
            for repeat in range(1, outcomes.repeats + 1):
                text = f"{row} {setting.label} {repeat}"
                outcomes.put(
                    outcomes.position_of(row, setting.index, repeat),
                    Outcome(
                        setting,
                        CONFIG,
                        Response(text, usage=Usage(2, 3, 5), latency=0.5),
                        prompt="p",
                        expected={"": "glad"},
                        scores={RIGHT: Score(RIGHT, row == 1, answer=text, expected="glad")},
                    ),
                )
    return outcomes


@pytest.fixture(params=[0, 4, 10_000], ids=["in a file", "half in a file", "in memory"])
def outcomes(request):
    return fill(Outcomes(SETTINGS, 2, held=request.param))


def test_order_is_row_then_setting_then_repeat(outcomes):
    assert [outcome.text for outcome in outcomes][:5] == [
        "0 small 1",
        "0 small 2",
        "0 large 1",
        "0 large 2",
        "1 small 1",
    ]
    assert [outcome.setting.repeat for outcome in outcomes][:4] == [1, 2, 1, 2]


def test_outcome_has_its_row(outcomes):
    last = outcomes[-1]
    assert (last.row_index, last.row_label, dict(last.row), last.expected) == (2, "r2", {"letter": 2}, {"": "glad"})
    assert (last.prompt, last.setting.label, last.is_right) == ("p", "large", False)


def test_columns_have_the_figures(outcomes):
    columns = outcomes.columns
    assert list(columns.scores[RIGHT]) == [0.0] * 4 + [1.0] * 4 + [0.0] * 4
    assert (columns.setting[:4], columns.repeat[:4], columns.row_index[3:5]) == ([0, 0, 1, 1], [1, 2, 1, 2], [0, 1])
    assert set(columns.latency) == {0.5}
    assert set(columns.prompt_tokens) == {2}
    assert columns.answer[RIGHT][4] == "1 small 1"


def test_added_scores_join_the_others(outcomes):
    outcomes.add_scores(5, [Score("tone", 0.25, "flat"), Score("grade", None, error="no number")])
    assert {name: score.value for name, score in outcomes[5].scores.items()} == {
        RIGHT: True,
        "tone": 0.25,
        "grade": None,
    }
    columns = outcomes.columns
    assert columns.scores["tone"][5] == 0.25
    assert math.isnan(columns.scores["tone"][4])
    assert (columns.numeric, sum(columns.score_failed["grade"])) == ({"tone"}, 1)


def test_rows_without_outcome_are_not_sent():
    outcomes = Outcomes(SETTINGS)
    outcomes.add_row(Record(0, 0, {"letter": "a"}), {})
    assert [outcome.was_sent for outcome in outcomes] == [False, False]
    assert outcomes.columns.error == ["not sent", "not sent"]


def test_failed_outcome_is_a_missing_score():
    outcomes = Outcomes(SETTINGS)
    outcomes.add_row(Record(0, 0, {}), {"": "glad"})
    outcomes.put(0, Outcome(SETTINGS[0], CONFIG, error=RateLimitError("too many")))
    assert outcomes.columns.error[0] == "RateLimitError"
    assert math.isnan(outcomes.columns.latency[0])


def test_truncated_rows_are_gone(outcomes):
    outcomes.truncate(1)
    assert (len(outcomes), len(outcomes.columns), len(outcomes.columns.scores[RIGHT])) == (4, 4, 4)


def test_value_that_cannot_be_pickled_stays_in_memory():
    lock = threading.Lock()
    outcomes = fill(Outcomes(SETTINGS, held=0), rows=1, lock=lock)
    assert outcomes[0].row["lock"] is lock


@pytest.mark.parametrize("index", [12, -13])
def test_index_beyond_the_end_is_refused(outcomes, index):
    with pytest.raises(IndexError):
        outcomes[index]


def test_slice_is_a_list_of_outcomes(outcomes):
    assert [outcome.text for outcome in outcomes[1:3]] == ["0 small 2", "0 large 1"]

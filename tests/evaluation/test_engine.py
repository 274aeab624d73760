"""The engine: rows by settings by repeats with real servers, side by side, each setting with its own end."""

from __future__ import annotations

import threading
import time

import pytest

from azml_magics.core.errors import APIConnectionError, KeyNotFoundError, RowsError, UsageError
from azml_magics.core.keys import KeyRef
from azml_magics.evaluation.engine import Engine
from azml_magics.evaluation.expectations import Expectations
from azml_magics.evaluation.matches import match_scorer
from azml_magics.evaluation.outcome import RIGHT, Score
from azml_magics.evaluation.plan import make_plan
from azml_magics.evaluation.settings import expand_settings
from azml_magics.rows.run_options import RunOptions

from ..core.server import reply

ROWS = [{"letter": f"say {number}", "label": f"SAY {number if number % 2 else 'x'}"} for number in range(6)]
WAIT = 30.0  # seconds; a busy machine takes long


def plan_for(configs, rows=ROWS, *, prompt="{letter}", sweep=None, expect="label", scorers=(), **options):
    expectations = Expectations.from_argument(expect)
    own = [match_scorer("normalized", expectations)] if expect else []
    settings = expand_settings(configs, sweep)
    return make_plan(settings, prompt, rows, expectations=expectations, scorers=[*own, *scorers], **options)


def run(plan, on_progress=None, **options):
    return Engine(plan, RunOptions(**options), on_progress=on_progress).run()


class Length:
    """Scores the length of a text."""

    name = "length"

    def score(self, outcome):
        return [Score("length", len(outcome.text))]


def failing(error):
    class Failing:
        name = "grade"

        def score(self, outcome):
            raise error(outcome)

    return Failing()


# ---- rows by settings


def test_every_row_is_sent_with_every_setting_and_repeat(echo):
    evaluation = run(plan_for([echo.config(name="a")], sweep={"temperature": [0, 1]}, repeats=3))
    assert len(evaluation.outcomes) == 6 * 2 * 3
    assert set(echo.sent.values()) == {6}
    assert [outcome.text for outcome in evaluation.outcomes][:7] == ["SAY 0"] * 6 + ["SAY 1"]


def test_outcomes_know_row_setting_prompt_and_scores(echo):
    evaluation = run(plan_for([echo.config(name="a")], sweep={"temperature": [0, 1]}))
    outcome = evaluation.outcomes[3]
    assert (outcome.row_index, dict(outcome.setting), outcome.prompt) == (1, {"temperature": 1}, "say 1")
    assert (outcome.row["letter"], outcome.expected, outcome.is_right) == ("say 1", {"": "SAY 1"}, True)
    assert [outcome.is_right for outcome in evaluation.outcomes[::2]] == [False, True, False, True, False, True]


def test_endpoints_are_served_side_by_side(echoes):
    """Neither endpoint answers before the other has a request."""
    both = threading.Barrier(2)

    def meet(prompt, _):
        if prompt == "say 0":
            both.wait(WAIT)

    for echo in echoes:
        echo.first = meet
    evaluation = run(plan_for([echo.config(name=name) for name, echo in zip("ab", echoes, strict=True)]))
    assert set(evaluation.outcomes.columns.error) == {""}


def test_slow_endpoint_holds_no_other_back(echoes):
    """The slow endpoint answers its first row once the fast one has answered all of its rows."""
    fast, slow = echoes
    slow.first = lambda prompt, _: wait_until(lambda: sum(fast.sent.values()) == 60)
    configs = [fast.config(name="fast"), slow.config(name="slow", timeout=2 * WAIT)]
    evaluation = run(plan_for(configs, ROWS * 10), concurrency=2)
    assert set(evaluation.outcomes.columns.error) == {""}


def wait_until(is_so):
    until = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


def test_settings_of_one_endpoint_share_its_concurrency(echo):
    run(plan_for([echo.config(name="a")], sweep={"temperature": [0, 1, 2, 3, 4]}, repeats=2), concurrency=3)
    assert sum(echo.sent.values()) == 60
    assert echo.most <= 3


def test_progress_counts_each_setting(echo):
    seen = []
    run(plan_for([echo.config(name="a")], sweep={"temperature": [0, 1]}), on_progress=seen.append)
    last = seen[-1]
    assert (last.total, last.done, last.is_over) == (12, 12, True)
    assert [(label, progress.done) for label, progress in last.by_setting] == [("0", 6), ("1", 6)]
    assert str(last).startswith("12 of 12 responses, 84 tokens, ")


def test_empty_table_sends_nothing(echo):
    evaluation = run(plan_for([echo.config()], rows=[], expect="label"))
    assert (len(evaluation.outcomes), sum(echo.sent.values())) == (0, 0)


def test_single_row_is_evaluated(echo):
    evaluation = run(plan_for([echo.config()], rows=ROWS[1:2]))
    assert [outcome.is_right for outcome in evaluation.outcomes] == [True]


def test_rows_may_come_from_an_iterator_or_a_file(echo, tmp_path):
    evaluation = run(
        plan_for([echo.config(name="a"), echo.config(name="b", timeout=9)], iter(ROWS), sweep={"x": [1, 2]})
    )
    assert [outcome.row_index for outcome in evaluation.outcomes][::2] == [0, 1, 2, 3, 4, 5]
    file = tmp_path / "rows.csv"
    file.write_text("letter,label\nsay 1,SAY 1\n", "utf-8")
    assert run(plan_for([echo.config()], str(file))).outcomes[0].is_right is True


def test_duplicate_settings_are_sent_once_and_said(echo):
    plan = plan_for([echo.config(name="a"), echo.config(name="b", timeout=5)], sweep={"temperature": [0, 0]})
    assert plan.notes == (
        "config=a, temperature=0 is given twice and sent once.",
        "config=b, temperature=0 is left out: config=a, temperature=0 sends the same.",
        "config=b, temperature=0 is left out: config=a, temperature=0 sends the same.",
    )
    run(plan)
    assert set(echo.sent.values()) == {1}


@pytest.mark.parametrize("repeats", [0, True, 1.5, "3"])
def test_wrong_number_of_repeats_is_refused(echo, repeats):
    with pytest.raises(UsageError, match="n takes a whole number of at least 1"):
        plan_for([echo.config()], repeats=repeats)


def test_limit_of_tokens_is_shared_by_settings(echo):
    evaluation = run(
        plan_for([echo.config()], ROWS * 20, sweep={"temperature": [0, 1]}), max_tokens_total=70, concurrency=2
    )
    assert 10 <= sum(echo.sent.values()) <= 14
    assert "limit of 70 tokens" in evaluation.note


# ---- what fails


def test_row_that_fails_has_missing_scores(echo):
    echo.first = lambda prompt, _: reply({"error": "no"}, status=400) if prompt == "say 2" else None
    columns = run(plan_for([echo.config()])).outcomes.columns
    assert columns.error == ["", "", "BadRequestError", "", "", ""]
    assert [str(value) for value in columns.scores[RIGHT]] == ["0.0", "1.0", "nan", "1.0", "0.0", "1.0"]


def test_dead_endpoint_ends_alone(echoes):
    configs = [echo.config(name=name) for name, echo in zip(("alive", "dead"), echoes, strict=True)]
    echoes[1].server.stop()
    evaluation = run(plan_for(configs))
    errors = evaluation.outcomes.columns.error
    assert errors[::2] == [""] * 6
    assert set(errors[1::2]) == {"not sent"}
    assert evaluation.note.startswith("dead stopped after 0 of 6 rows: APIConnectionError: ")


def test_setting_that_is_always_rejected_ends_alone(echo):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(60)]

    def respond(connection, request):
        if request.json.get("temperature") == 9:
            connection.sendall(reply({"error": {"message": "temperature is at most 2"}}, status=400))
            return True
        return echo._reply(connection, request)

    echo.server.respond_with(respond)
    evaluation = run(plan_for([echo.config()], rows, sweep={"temperature": [0, 9]}), concurrency=4)
    errors = evaluation.outcomes.columns.error
    assert errors[::2] == [""] * 60
    assert "not sent" in errors[1::2]
    assert "9 stopped after " in evaluation.note


def test_all_endpoints_dead_raise_the_error(echoes):
    configs = [echo.config(name=name) for name, echo in zip("ab", echoes, strict=True)]
    for echo in echoes:
        echo.server.stop()
    with pytest.raises(APIConnectionError):
        run(plan_for(configs))


def test_all_settings_that_end_early_keep_what_they_have(echo):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(200)]
    echo.first = lambda prompt, _: reply({"error": "key"}, status=401) if int(prompt[4:]) > 50 else None
    with pytest.raises(RowsError, match="The evaluation ended early") as caught:
        run(plan_for([echo.config(name="a")], rows, sweep={"temperature": [0, 1]}))
    errors = list(caught.value.batch.outcomes.columns.error)
    assert errors.count("") >= 50
    assert "not sent" in errors


def test_missing_key_is_an_error_before_anything_is_sent(echoes):
    configs = [echoes[0].config(name="a"), echoes[1].config(name="b", key=KeyRef.parse("env:NOT_THERE"))]
    with pytest.raises(KeyNotFoundError, match="NOT_THERE"):
        run(plan_for(configs))
    assert not echoes[0].sent


def test_first_rejections_do_not_end_a_setting_that_has_responses(echo, tmp_path):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(40)]
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()], rows[:1]), journal=journal)
    echo.first = lambda prompt, _: reply({"error": "no"}, status=400)
    errors = run(plan_for([echo.config()], rows), journal=journal, concurrency=1).outcomes.columns.error
    assert errors == ["", *["BadRequestError"] * 39]


# ---- scorers


def test_scorers_run_for_every_response(echo):
    evaluation = run(plan_for([echo.config()], scorers=[Length()]))
    assert list(evaluation.outcomes.columns.scores["length"]) == [5.0] * 6
    assert evaluation.outcomes[0].scores["length"].value == 5


def test_async_scorers_run_on_an_event_loop(echo):
    class Later:
        name = "later"

        async def score(self, outcome):
            return [Score("later", len(outcome.prompt))]

    assert list(run(plan_for([echo.config()], scorers=[Later()])).outcomes.columns.scores["later"]) == [5.0] * 6


def test_scorer_that_raises_is_the_error_of_its_row(echo):
    class Sometimes:
        name = "grade"

        def score(self, outcome):
            return [Score("grade", 1 / (outcome.row_index - 2))]

    evaluation = run(plan_for([echo.config()], scorers=[Sometimes()]))
    score = evaluation.outcomes[2].scores["grade"]
    assert (score.value, score.error) == (None, "ZeroDivisionError: division by zero")
    assert evaluation.outcomes[3].scores["grade"].value == 1.0
    assert sum(evaluation.outcomes.columns.score_failed["grade"]) == 1


def test_scorer_that_always_fails_in_one_way_ends_the_run(echo):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(3000)]
    scorer = failing(lambda outcome: KeyError("lable"))
    with pytest.raises(RowsError, match="'grade' failed for each of the first 10 rows: KeyError: 'lable'") as caught:
        run(plan_for([echo.config()], rows, scorers=[scorer]))
    assert caught.value.error_code == "scorer-failed"
    assert sum(echo.sent.values()) < 3000
    assert any(outcome.response for outcome in caught.value.batch.outcomes)


def test_scorer_that_fails_in_many_ways_goes_on(echo):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(40)]
    scorer = failing(lambda outcome: ValueError(outcome.row_index))
    evaluation = run(plan_for([echo.config()], rows, scorers=[scorer]))
    assert sum(evaluation.outcomes.columns.score_failed["grade"]) == 40


def test_rows_without_expectation_are_neither_right_nor_wrong(echo):
    rows = [{"letter": "say 1", "label": label} for label in ("SAY 1", None, float("nan"), "", "no")]
    outcomes = run(plan_for([echo.config()], rows)).outcomes
    assert [outcome.is_right for outcome in outcomes] == [True, None, None, None, False]
    assert list(outcomes.columns.has_expectation) == [1, 0, 0, 0, 1]


@pytest.mark.parametrize("wanted", [1, 1.0, "1", " 1 ", True])
def test_expectation_of_another_type_is_compared_by_value(echo, wanted):
    echo.first = lambda prompt, _: reply(
        {"choices": [{"message": {"content": "true" if wanted is True else "1"}, "finish_reason": "stop"}]}
    )
    assert run(plan_for([echo.config()], [{"letter": "a", "label": wanted}])).outcomes[0].is_right is True


def test_numpy_expectations_are_compared_by_value(echo):
    numpy = pytest.importorskip("numpy")
    rows = [{"letter": f"say {n}", "label": label} for n, label in enumerate([numpy.int64(1), numpy.float32("nan")])]
    echo.first = lambda prompt, _: reply({"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}]})
    assert [outcome.is_right for outcome in run(plan_for([echo.config()], rows)).outcomes] == [True, None]

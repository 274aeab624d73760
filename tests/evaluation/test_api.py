"""evaluate and aevaluate: what a program passes, gets and is told."""

from __future__ import annotations

import asyncio
import threading

import pytest

from azml_magics import Evaluation, aevaluate, evaluate
from azml_magics.core.errors import (
    ConfigError,
    EvaluationFailed,
    JournalError,
    RowsError,
    UndefinedVariableError,
    UsageError,
)

from ..core.server import reply
from .test_judging import verdicts

ROWS = [{"letter": f"say {number}", "label": f"SAY {number if number % 2 else 'x'}"} for number in range(6)]


def test_evaluation_of_one_config(echo):
    evaluation = evaluate(echo.config(), "{letter}", ROWS, expect="label")
    assert isinstance(evaluation, Evaluation)
    (summary,) = evaluation.summary()
    assert (summary.label, summary.accuracy.mean, summary.accuracy.n) == ("prod", 0.5, 6)


def test_configs_may_be_a_list_or_a_dict_by_name(echo):
    configs = {"small": echo.config(), "large": echo.config(model="b")}
    evaluation = evaluate(configs, "{letter}", ROWS, expect="label")
    assert [setting.label for setting in evaluation.settings] == ["small", "large"]
    evaluation = evaluate(list(configs.values()), "{letter}", ROWS, expect="label")
    assert [setting.label for setting in evaluation.settings] == ["prod", "prod (2)"]


def test_fields_of_a_schema_are_expected(echo):
    echo.first = lambda prompt, _: reply(
        {"choices": [{"message": {"content": '{"mood": "glad", "tone": "flat"}'}, "finish_reason": "stop"}]}
    )
    schema = {"type": "object", "properties": {"mood": {"type": "string"}, "tone": {"type": "string"}}}
    rows = [{"letter": "a", "label": "Glad", "sound": "flat"}, {"letter": "b", "label": "cross", "sound": "flat"}]
    evaluation = evaluate(
        echo.config(), "{letter}", rows, schema=schema, expect={"mood": "label", "tone": "sound"}, match="normalized"
    )
    assert [outcome.is_right for outcome in evaluation] == [True, False]
    assert [outcome.scores["mood"].value for outcome in evaluation] == [True, False]
    assert [outcome.scores["tone"].value for outcome in evaluation] == [True, True]


def test_frame_of_pandas_is_evaluated(echo):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, index=[f"r{number}" for number in range(6)])
    evaluation = evaluate(echo.config(), "{letter}", frame, expect="label")
    assert evaluation[3].row_label == "r3"
    table = evaluation.to_pandas()
    assert list(table["right"]) == [False, True] * 3
    assert {"letter", "label", "config", "latency"} <= set(table.columns)


def test_scorers_and_judges_are_columns(echo):
    verdicts(echo)

    def words(row, response):
        return len(response.text.split())

    async def later(row, response):
        await asyncio.sleep(0)
        return {"first": response.text[0] == "S", "last": 0.5}

    judge = echo.config(name="big", model="big")
    evaluation = evaluate(echo.config(), "{letter}", ROWS, score=[words, later], judge=judge, rubric="5: good.")
    assert set(evaluation[0].scores) == {"words", "first", "last", "judge"}
    assert [evaluation[0].scores[name].value for name in ("words", "first", "last", "judge")] == [2, True, 0.5, 4.0]


def test_baseline_tells_what_flipped(echo, tmp_path):
    journal = tmp_path / "before.jsonl"
    before = evaluate(echo.config(), "{letter}", ROWS, expect="label", journal=journal)
    for baseline in (before, journal, str(journal)):
        after = evaluate(echo.config(), "{letter} too", ROWS, expect="label", baseline=baseline)
        assert len(after.flips) == 3
        assert not any(flip.became_right for flip in after.flips)


def test_requirement_that_is_not_met_raises_with_the_evaluation(echo):
    with pytest.raises(EvaluationFailed, match=r"accuracy>=0\.9") as caught:
        evaluate(echo.config(), "{letter}", ROWS, expect="label", require="accuracy>=0.9")
    assert len(caught.value.batch) == 6
    assert evaluate(echo.config(), "{letter}", ROWS, expect="label", require=["accuracy>=0.5", "errors==0"])


def test_prices_are_of_all_configs_or_by_name(echo):
    configs = [echo.config(name="small"), echo.config(name="large", model="b")]
    costs = [each.cost for each in evaluate(configs, "{letter}", ROWS, price="1,2").summary()]
    assert costs == pytest.approx([6 * 11 / 1e6] * 2)
    costs = [each.cost for each in evaluate(configs, "{letter}", ROWS, price={"large": "1,2"}).summary()]
    assert (costs[0], costs[1]) == (None, pytest.approx(6 * 11 / 1e6))


def test_dry_run_sends_nothing(echo):
    shown = evaluate(echo.config(), "{letter}", iter(ROWS), expect="label", n=2, dry_run=True)
    assert "say 0" in str(shown)
    assert not echo.sent


def test_progress_is_reported(echo):
    seen = []
    evaluate(echo.config(), "{letter}", ROWS, progress=seen.append)
    assert seen[-1].is_over
    assert seen[-1].by_setting[0][0] == "prod"


def test_setting_that_stops_early_is_warned_of(echoes):
    configs = [echo.config(name=name) for name, echo in zip("ab", echoes, strict=True)]
    echoes[1].server.stop()
    with pytest.warns(UserWarning, match="b stopped after 0 of 6 rows: APIConnectionError"):
        evaluation = evaluate(configs, "{letter}", ROWS, expect="label")
    assert evaluation.summary()[0].accuracy.mean == 0.5


def test_duplicate_settings_are_warned_of(echo):
    with pytest.warns(UserWarning, match="0 is given twice and sent once"):
        evaluation = evaluate(echo.config(), "{letter}", ROWS, sweep={"temperature": [0, 0]})
    assert len(evaluation) == 6


# ---- what is wrong is said before anything is sent


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"expect": "lable"}, UsageError, r"no column 'lable'.*'label'"),
        ({"expect": "mood=label"}, UsageError, "there is no schema"),
        ({"expect": "label", "match": "normalised"}, UsageError, r"no match 'normalised'.*'normalized'"),
        ({"match": "exact"}, UsageError, "match compares responses with an expectation, and there is none"),
        ({"n": 0}, UsageError, "n takes a whole number of at least 1"),
        ({"sweep": {"temperature": []}}, UsageError, "at least one value"),
        ({"rubric": "good?"}, UsageError, "rubric and no judge"),
        ({"require": "acuracy>0.5"}, UsageError, "acuracy"),
        ({"score": 3}, UsageError, "scorer"),
        ({"price": "cheap"}, ConfigError, "price takes two or three numbers"),
        ({"price": {"prodd": "1,2"}}, UsageError, r"price names 'prodd'.*'prod'"),
        ({"expect": "label", "baseline": "missing.jsonl"}, JournalError, "cannot be read"),
        ({"baseline": "missing.jsonl"}, UsageError, "nothing says what is right"),
        ({"expect": "label", "baseline": 3}, UsageError, "A baseline is an Evaluation or the path of a journal"),
        ({"concurrency": 0}, UsageError, "concurrency takes a whole number"),
        ({"retry_failed": True}, UsageError, "only with the journal"),
        ({"limit": 0}, UsageError, "limit takes a number of at least 1"),
    ],
)
def test_wrong_argument_is_refused_before_anything_is_sent(echo, arguments, error, message):
    with pytest.raises(error, match=message):
        evaluate(echo.config(), "{letter}", ROWS, **arguments)
    assert not echo.sent


@pytest.mark.parametrize("config", ["prod", 3, None, ["prod"], {"a": "prod"}])
def test_config_of_another_type_is_refused(config):
    with pytest.raises(UsageError, match="A config is an LLMConfig, not"):
        evaluate(config, "{letter}", ROWS)


def test_judge_of_another_type_is_refused(echo):
    with pytest.raises(UsageError, match="A config is an LLMConfig, not str"):
        evaluate(echo.config(), "{letter}", ROWS, judge="big", rubric="good")


def test_rubric_with_an_unknown_column_is_refused(echo):
    with pytest.raises((UsageError, UndefinedVariableError), match="lettre"):
        evaluate(echo.config(), "{letter}", ROWS, judge=echo.config(), rubric="Is {lettre} kind?")
    assert not echo.sent


def test_scorer_named_like_the_judge_is_refused(echo):
    def judge(row, response):
        return 1

    with pytest.raises(UsageError, match="named 'judge'"):
        evaluate(echo.config(), "{letter}", ROWS, score=judge, judge=echo.config(name="big"), rubric="good")


def test_unknown_variable_is_refused(echo):
    with pytest.raises(UndefinedVariableError, match="lettre"):
        evaluate(echo.config(), "{lettre}", ROWS)


def test_scorer_that_always_fails_raises_with_the_evaluation(echo):
    rows = [{"letter": f"say {number}"} for number in range(50)]

    def broken(row, response):
        return row["lable"]

    with pytest.raises(RowsError, match="'broken' failed for each of the first 10 rows: KeyError: 'lable'") as caught:
        evaluate(echo.config(), "{letter}", rows, score=broken)
    assert isinstance(caught.value.batch, Evaluation)


# ---- async


def test_aevaluate_does_not_block_the_loop(echo):
    loops = []

    async def scorer(row, response):
        loops.append(asyncio.get_running_loop())
        return 1

    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        evaluation = await aevaluate(echo.config(), "{letter}", ROWS, expect="label", score=scorer, n=3)
        ticking.cancel()
        return evaluation, ticks, asyncio.get_running_loop()

    evaluation, ticks, loop = asyncio.run(main())
    assert [outcome.is_right for outcome in evaluation][::3] == [False, True] * 3
    assert ticks > 1
    assert set(map(id, loops)) == {id(loop)}, "async scorers run on the caller's loop"


def test_aevaluate_raises_what_evaluate_raises(echo):
    with pytest.raises(EvaluationFailed):
        asyncio.run(aevaluate(echo.config(), "{letter}", ROWS, expect="label", require="accuracy>0.9"))
    with pytest.raises(UsageError):
        asyncio.run(aevaluate(echo.config(), "{letter}", ROWS, expect="lable"))
    assert str(asyncio.run(aevaluate(echo.config(), "{letter}", ROWS, dry_run=True)))


def test_evaluate_works_while_a_loop_runs(echo):
    async def main():
        async def scorer(row, response):
            return 1

        return evaluate(echo.config(), "{letter}", ROWS, expect="label", score=scorer)

    assert len(asyncio.run(main())) == 6


def test_no_threads_are_left(echo):
    async def scorer(row, response):
        return 1

    before = set(threading.enumerate())
    evaluate(echo.config(), "{letter}", ROWS, score=scorer)
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("azml-magics"):
            thread.join(30)
            assert not thread.is_alive(), thread.name

"""The judge's half: its requests go through the run's journal and limits; what fails leaves the answers alone."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from azml_magics.evaluation.judges import make_judges

from ..core.server import reply
from .test_engine import ROWS, plan_for, run

RUBRIC = "5: loud. 1: quiet. The letter is {letter}."


def say(text):
    return reply({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})


def verdicts(echo, score=lambda prompt: 4):
    """Answer the judge's prompts with a score; prompts of rows are echoed."""

    def respond(prompt, _):
        return say(json.dumps({"reason": "r", "score": score(prompt)})) if "RESPONSE" in prompt else None

    echo.first = respond


def judged(plan, config, **options):
    return replace(plan, judges=tuple(make_judges(config, RUBRIC, plan.settings, **options)))


def asked(echo):
    return Counter("judge" if "RESPONSE" in prompt else "row" for prompt in echo.sent.elements())


def test_judge_scores_every_response(echo):
    verdicts(echo)
    plan = judged(plan_for([echo.config()], repeats=2), echo.config(name="big"))
    evaluation = run(plan)
    assert asked(echo) == {"row": 12, "judge": 12}
    assert list(evaluation.outcomes.columns.scores["judge"]) == [4.0] * 12
    assert evaluation.outcomes[0].scores["judge"].reason == "r"
    assert evaluation.outcomes[1].scores["right"].value is False, "the other scores are kept"


def test_journal_has_the_verdicts(echo, tmp_path):
    verdicts(echo)
    plan = judged(plan_for([echo.config()]), echo.config(name="big"))
    journal = tmp_path / "run.jsonl"
    run(plan, journal=journal)
    echo.sent.clear()
    evaluation = run(plan, journal=journal)
    assert not echo.sent
    assert list(evaluation.outcomes.columns.scores["judge"]) == [4.0] * 6


def test_usage_of_the_judge_is_said_and_counted_apart(echo, tmp_path):
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
    choice = {"message": {"content": '{"reason": "r", "score": 4}'}, "finish_reason": "stop"}
    echo.first = lambda prompt, _: reply({"choices": [choice], "usage": usage}) if "RESPONSE" in prompt else None
    plan = judged(plan_for([echo.config()]), echo.config(name="big", price="10,20"))
    evaluation = run(plan, journal=tmp_path / "run.jsonl")
    (used,) = evaluation.judge_usage
    assert str(used) == "The judge big took 6 requests, 600 + 30 tokens, 0.0066."
    assert str(used) in evaluation.to_text()
    assert evaluation.summary()[0].cost is None
    assert [each.requests for each in used.sent.counts().values()] == [6]
    (again,) = run(plan, journal=tmp_path / "run.jsonl").judge_usage
    assert (str(again), again.sent.counts()) == (str(used), {})


def test_failed_rows_are_not_judged(echo):
    verdicts(echo)
    second = echo.first
    echo.first = lambda prompt, n: reply({"error": "no"}, status=400) if prompt == "say 2" else second(prompt, n)
    evaluation = run(judged(plan_for([echo.config()]), echo.config(name="big")))
    assert asked(echo)["judge"] == 5
    assert "judge" not in evaluation.outcomes[2].scores


def test_verdict_that_is_none_is_the_error_of_its_row(echo):
    verdicts(echo, lambda prompt: "high" if "say 3" in prompt else 5)
    evaluation = run(judged(plan_for([echo.config()]), echo.config(name="big")))
    scores = [outcome.scores["judge"] for outcome in evaluation.outcomes]
    assert [score.value for score in scores] == [5.0, 5.0, 5.0, None, 5.0, 5.0]
    assert scores[3].error.startswith("SchemaError: ")


def test_judge_that_is_down_leaves_the_answers_and_says_so(echoes):
    rows_of, judge_of = echoes
    config = judge_of.config(name="big")
    judge_of.server.stop()
    evaluation = run(judged(plan_for([rows_of.config()]), config))
    assert [outcome.is_right for outcome in evaluation.outcomes] == [False, True, False, True, False, True]
    assert "The judge 'judge' stopped after 0 responses: APIConnectionError" in evaluation.note


def test_pairwise_judge_asks_in_both_orders(echo):
    """The endpoint says A always: it has no verdict, because the orders disagree."""
    echo.first = lambda prompt, _: say('{"reason": "r", "winner": "A"}') if "RESPONSE A" in prompt else None
    plan = judged(plan_for([echo.config()], sweep={"temperature": [0, 1]}), echo.config(name="big"))
    evaluation = run(plan)
    assert asked(echo) == {"row": 12, "judge": 12}
    assert {outcome.scores["judge_wins"].value for outcome in evaluation.outcomes} == {None}


def test_endpoint_of_rows_and_judge_is_shared(echo):
    verdicts(echo)
    run(judged(plan_for([echo.config()], ROWS * 5), echo.config(name="big")), concurrency=2)
    assert echo.most <= 2


def test_limit_of_tokens_counts_the_judge(echo):
    verdicts(echo)
    evaluation = run(judged(plan_for([echo.config()]), echo.config(name="big")), max_tokens_total=43)
    assert "limit of 43 tokens" in evaluation.note


def test_rubric_that_lacks_a_column_of_a_row_is_the_error_of_the_row(echo):
    verdicts(echo)
    rows = [{"letter": "a", "label": "A", "tone": "x"}, {"letter": "b", "label": "B"}]
    plan = plan_for([echo.config()], rows)
    plan = replace(plan, judges=tuple(make_judges(echo.config(name="big"), "Is it {tone}?", plan.settings)))
    scores = [outcome.scores["judge"] for outcome in run(plan).outcomes]
    assert (scores[0].value, scores[1].value) == (4.0, None)
    assert "tone" in scores[1].error


@pytest.mark.parametrize("repeats", [1, 2])
def test_judging_many_rows_keeps_their_order(echo, repeats):
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(60)]
    verdicts(echo, lambda prompt: int(prompt.split("The letter is say ")[1].split(".")[0]))
    evaluation = run(judged(plan_for([echo.config()], rows, repeats=repeats), echo.config(name="big")))
    assert [outcome.scores["judge"].value for outcome in evaluation.outcomes][::repeats] == list(range(60))

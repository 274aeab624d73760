"""What evaluate and aevaluate return, for type checkers. It is never run."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import assert_type

from azml_magics import Evaluation, LLMConfig, Response, aevaluate, evaluate
from azml_magics.evaluation.progress import EvaluationProgress  # noqa: TC001 - as users write it
from azml_magics.rows.dry_run import DryRun

ROWS = [{"letter": "Thanks!", "label": "glad"}]


def length(row: dict[str, str], response: Response) -> int:
    return len(response.text)


def report(progress: EvaluationProgress) -> None:
    assert_type(progress.by_setting[0][1].done, int)


def one_or_several(small: LLMConfig, large: LLMConfig) -> None:
    assert_type(evaluate(small, "{letter}", ROWS, expect="label"), Evaluation)
    assert_type(evaluate([small, large], "{letter}", ROWS, expect={"mood": "label"}, schema={}), Evaluation)
    assert_type(evaluate({"a": small}, "{letter}", ROWS, score=[length], n=3, price="1,2"), Evaluation)
    assert_type(evaluate(small, "{letter}", "rows.csv", journal=Path("run.jsonl"), progress=report), Evaluation)
    assert_type(evaluate(small, "{letter}", ROWS, judge=large, rubric="5: kind.", require="judge>=3"), Evaluation)


def dry_run_gives_requests(config: LLMConfig) -> None:
    assert_type(evaluate(config, "{letter}", ROWS, dry_run=True), DryRun)


def figures(evaluation: Evaluation) -> None:
    assert_type(evaluation.summary()[0].label, str)
    assert_type(evaluation.flipped("run.jsonl")[0].became_right, bool)


async def async_is_the_same(config: LLMConfig) -> None:
    assert_type(await aevaluate(config, "{letter}", ROWS, expect="label"), Evaluation)
    assert_type(await aevaluate(config, "{letter}", ROWS, dry_run=True), DryRun)


def target_is_a_function(config: LLMConfig) -> None:
    config.as_target("{letter}")(letter="Thanks!")["response"].upper()

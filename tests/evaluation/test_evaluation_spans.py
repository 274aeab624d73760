"""An evaluation is one span, with the runs of its settings and the calls of its scorers and judges below it."""

from __future__ import annotations

from azml_magics import aevaluate, evaluate, invoke

ROWS = [{"letter": f"say {number}", "label": f"SAY {number}"} for number in range(6)]


def find_root(spans):
    (root,) = (span for span in spans() if span.parent is None)
    assert {span.context.trace_id for span in spans()} == {root.context.trace_id}
    return root


def test_settings_are_runs_below_the_evaluation(echo, spans):
    evaluate([echo.config(), echo.config(model="b")], "{letter}", ROWS, expect="label")
    root = find_root(spans)
    assert root.name == "evaluate"
    assert root.attributes["azml_magics.settings"] == 2
    assert root.attributes["azml_magics.rows.done"] == 12
    runs = spans("map_rows")
    assert [run.parent.span_id for run in runs] == [root.context.span_id] * 2
    assert len(spans("chat")) == 12


async def test_evaluation_on_an_event_loop_is_one_trace(echo, spans):
    await aevaluate(echo.config(), "{letter}", ROWS, expect="label")
    assert find_root(spans).name == "evaluate"


def test_call_of_a_scorer_is_in_the_trace(echo, spans):
    def ask_again(row, response):
        return len(invoke(echo.config(model="scorer"), row["letter"]).text)

    evaluate(echo.config(), "{letter}", ROWS, score=ask_again)
    root = find_root(spans)
    asked = spans("chat scorer")
    assert len(asked) == 6
    assert {span.parent.span_id for span in asked} == {root.context.span_id}


def test_judge_is_a_run_below_the_evaluation(echo, spans):
    evaluate(echo.config(), "{letter}", ROWS, judge=echo.config(name="judge", model="judge"), rubric="Is it good?")
    root = find_root(spans)
    assert [run.parent.span_id for run in spans("map_rows")] == [root.context.span_id] * 2
    assert spans("chat judge")

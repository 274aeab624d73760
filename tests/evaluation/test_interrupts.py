"""Interrupts: everything that was answered is kept, in each half; the next run does the rest only."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from azml_magics import aevaluate, evaluate
from azml_magics.core.errors import Interrupted
from azml_magics.evaluation.evaluation import Evaluation
from azml_magics.evaluation.outcome import Score

from .test_engine import WAIT, plan_for, run
from .test_judging import asked, judged, verdicts

ROWS = [{"letter": f"say {number}", "label": f"SAY {number}"} for number in range(20)]


@pytest.fixture(autouse=True)
def _sigint():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_stop(times=1):
    for _ in range(times):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


class Stall:
    """Interrupts at one prompt and does not answer it until the test is over."""

    def __init__(self, echo, at, press=press_stop):
        self._answer, self._at, self._press = echo.first, at, press
        self.over = threading.Event()
        self.is_done = False
        echo.first = self.respond

    def respond(self, prompt, times):
        if self._at in prompt and not self.is_done:
            self.is_done = True
            self._press()
            self.over.wait(WAIT)
        return self._answer(prompt, times)


@pytest.fixture
def stall(echo):
    made = []

    def make(at, **options):
        made.append(Stall(echo, at, **options))
        return made[-1]

    yield make
    for each in made:
        each.over.set()


def test_interrupt_keeps_responses_and_their_scores(echo, stall, tmp_path):
    journal = tmp_path / "run.jsonl"
    stall("say 10")
    plan = plan_for([echo.config()], ROWS, sweep={"temperature": [0]})
    with pytest.raises(Interrupted, match="responses were complete") as caught:
        run(plan, journal=journal, concurrency=1)
    evaluation = caught.value.batch
    assert isinstance(evaluation, Evaluation)
    assert not evaluation.is_complete
    assert [outcome.is_right for outcome in evaluation.outcomes] == [*[True] * 10, *[None] * 10]
    assert evaluation.outcomes.columns.error[10:] == ["not sent"] * 10
    assert run(plan, journal=journal).outcomes.columns.error == [""] * 20
    assert {prompt for prompt, times in echo.sent.items() if times > 1} == {"say 10"}


def test_interrupt_while_judging_keeps_all_answers(echo, stall, tmp_path):
    journal = tmp_path / "run.jsonl"
    verdicts(echo)
    stall("The letter is say 10.")
    plan = judged(plan_for([echo.config()], ROWS), echo.config(name="big"))
    with pytest.raises(Interrupted) as caught:
        run(plan, journal=journal, concurrency=1)
    outcomes = caught.value.batch.outcomes
    assert caught.value.batch.note == "Interrupted while judging: 10 of 20 were judged"
    assert outcomes.columns.error == [""] * 20
    assert [outcome.is_right for outcome in outcomes] == [True] * 20
    assert [outcome.scores["judge"].value for outcome in outcomes if "judge" in outcome.scores] == [4.0] * 10
    echo.sent.clear()
    again = run(plan, journal=journal)
    assert asked(echo) == {"judge": 10}
    assert list(again.outcomes.columns.scores["judge"]) == [4.0] * 20


def test_interrupt_pressed_twice_leaves_the_journal_free(echo, stall, tmp_path):
    journal = tmp_path / "run.jsonl"
    stall("say 10", press=lambda: press_stop(2))
    plan = plan_for([echo.config()], ROWS)
    with pytest.raises(KeyboardInterrupt):
        run(plan, journal=journal, concurrency=1)
    assert run(plan, journal=journal).outcomes.columns.error == [""] * 20
    assert {prompt for prompt, times in echo.sent.items() if times > 1} == {"say 10"}


def test_interrupt_while_scoring_keeps_the_responses(echo):
    class Endless:
        name = "slow"

        def __init__(self):
            self.over = threading.Event()

        def score(self, outcome):
            if outcome.row_index == 19:
                press_stop()
                self.over.wait(WAIT)
            return [Score("slow", 1.0)]

    scorer = Endless()
    try:
        with pytest.raises(Interrupted) as caught:
            run(plan_for([echo.config()], ROWS, scorers=[scorer]))
    finally:
        scorer.over.set()
    assert caught.value.batch.outcomes.columns.error == [""] * 20


def test_interrupted_iterator_keeps_its_rows(echo, stall):
    stall("say 5")
    rows = iter(ROWS)
    with pytest.raises(Interrupted) as caught:
        run(plan_for([echo.config()], rows), concurrency=1)
    assert len(caught.value.batch.outcomes) == 5
    evaluation = run(plan_for([echo.config()], rows))
    assert [outcome.row["letter"] for outcome in evaluation.outcomes] == [f"say {number}" for number in range(5, 20)]


def test_python_call_raises_interrupted_with_the_evaluation(echo, stall):
    stall("say 10")
    with pytest.raises(Interrupted) as caught:
        evaluate(echo.config(), "{letter}", ROWS, expect="label", concurrency=1)
    assert sum(bool(outcome.is_right) for outcome in caught.value.batch) == 10


def test_cancelled_aevaluate_ends_its_requests(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    over, reached = threading.Event(), threading.Event()

    def respond(prompt, _):
        if prompt == "say 10" and not over.is_set():
            reached.set()
            over.wait(WAIT)

    echo.first = respond

    async def cancel():
        call = aevaluate(echo.config(), "{letter}", ROWS, expect="label", concurrency=1, journal=journal)
        task = asyncio.create_task(call)
        assert await asyncio.to_thread(reached.wait, WAIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    over.set()
    evaluation = evaluate(echo.config(), "{letter}", ROWS, expect="label", journal=journal)
    assert evaluation.outcomes.columns.error == [""] * 20
    assert {prompt for prompt, times in echo.sent.items() if times > 1} == {"say 10"}

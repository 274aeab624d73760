"""One journal for rows, settings, repeats and judges: whatever ends a run, nothing that was answered is asked again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from azml_magics import map_rows
from azml_magics.core.errors import JournalError
from azml_magics.evaluation.judges import make_judges

from ..core.server import reply
from .test_engine import ROWS, WAIT, plan_for, run, wait_until
from .test_judging import judged, verdicts

REPOSITORY = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from azml_magics import LLMConfig, evaluate

url, journal, *judge = sys.argv[1:]
config = LLMConfig(name="a", endpoint_url=f"{url}/v1/chat/completions", key=None, max_retries=0)
rows = [{"letter": f"say {number}", "label": "x"} for number in range(12)]
evaluate(
    config, "{letter}", rows, expect="label", sweep={"temperature": [0, 1]}, n=2, journal=journal, concurrency=4,
    judge=config.merged(name="big") if judge else None, rubric="5: loud." if judge else "",
)
"""
REQUESTS = 12 * 2 * 2


def entries(journal):
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()[1:] if line.endswith(b"}")]
    return [line for line in lines if "row" in line]


def prompts(echo):
    return sum(echo.sent.values())


# ---- resuming


def test_second_run_sends_nothing(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    plan = plan_for([echo.config()], sweep={"temperature": [0, 1]}, repeats=2)
    first = run(plan, journal=journal)
    echo.sent.clear()
    second = run(plan, journal=journal)
    assert not echo.sent
    assert [outcome.text for outcome in second.outcomes] == [outcome.text for outcome in first.outcomes]
    assert all(outcome.reused for outcome in second.outcomes)
    assert [outcome.is_right for outcome in second.outcomes] == [outcome.is_right for outcome in first.outcomes]


def test_added_setting_sends_its_rows_only(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()], sweep={"temperature": [0]}), journal=journal)
    run(plan_for([echo.config()], sweep={"temperature": [0, 1]}), journal=journal)
    assert prompts(echo) == 12


def test_added_repeats_send_their_share_only(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()]), journal=journal)
    run(plan_for([echo.config()], repeats=3), journal=journal)
    assert prompts(echo) == 18


def test_added_judge_asks_the_judge_only(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    verdicts(echo)
    run(plan_for([echo.config()]), journal=journal)
    echo.sent.clear()
    run(judged(plan_for([echo.config()]), echo.config(name="big")), journal=journal)
    assert all("RESPONSE" in prompt for prompt in echo.sent)
    assert prompts(echo) == 6


def test_journal_of_map_rows_is_continued(echo, tmp_path):
    journal = tmp_path / "rows.jsonl"
    map_rows(echo.config(), "{letter}", ROWS, journal=journal)
    evaluation = run(plan_for([echo.config(), echo.config(name="b", model="other")]), journal=journal)
    assert prompts(echo) == 12
    assert [outcome.reused for outcome in evaluation.outcomes][:2] == [True, False]


def test_journal_of_another_prompt_is_refused(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    run(plan_for([echo.config()]), journal=journal)
    with pytest.raises(JournalError, match=r"'run.jsonl' is the journal of another run: prompt was '{letter}' and is"):
        run(plan_for([echo.config()], prompt="{letter}!"), journal=journal)


def test_equal_rows_each_have_their_own_response(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    rows = [ROWS[1]] * 3
    echo.first = lambda prompt, times: reply(
        {"choices": [{"message": {"content": f"{times}"}, "finish_reason": "stop"}]}
    )
    first = run(plan_for([echo.config()], rows, repeats=2), journal=journal)
    second = run(plan_for([echo.config()], rows, repeats=2), journal=journal)
    assert len({outcome.text for outcome in first.outcomes}) == 6
    assert [outcome.text for outcome in second.outcomes] == [outcome.text for outcome in first.outcomes]


def test_failed_rows_are_sent_again_on_request(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    echo.first = lambda prompt, times: reply({"error": "no"}, status=400) if prompt == "say 2" and times == 1 else None
    plan = plan_for([echo.config()])
    assert run(plan, journal=journal).outcomes.columns.error[2] == "BadRequestError"
    assert run(plan, journal=journal).outcomes.columns.error[2] == "BadRequestError"
    assert run(plan, journal=journal, retry_failed=True).outcomes.columns.error[2] == ""
    assert echo.sent == {**dict.fromkeys((f"say {n}" for n in range(6)), 1), "say 2": 2}


def test_dead_setting_is_resumed_alone(echoes, tmp_path):
    journal = tmp_path / "run.jsonl"
    alive, dead = echoes
    refuse = lambda prompt, _: reply({"error": "key"}, status=401)  # noqa: E731 - one expression
    dead.first = refuse
    plan = plan_for([echo.config(name=name) for name, echo in zip("ab", echoes, strict=True)])
    assert "b stopped after 0 of 6 rows: AuthenticationError" in run(plan, journal=journal).note
    dead.first = lambda prompt, _: None
    alive.sent.clear()
    dead.sent.clear()
    assert set(run(plan, journal=journal).outcomes.columns.error) == {""}
    assert (prompts(alive), prompts(dead)) == (0, 6)


def test_keys_are_not_in_the_journal(echo, tmp_path):
    journal = tmp_path / "run.jsonl"
    key = echo.config().key
    echo.first = lambda prompt, _: reply({"error": {"message": f"bad key {key.reveal()}"}}, status=400)
    run(plan_for([echo.config()], ROWS[:1]), journal=journal)
    assert key.reveal().encode() not in journal.read_bytes()


# ---- killed


class Slow:
    """Answers after a moment, and signals once so many requests have come."""

    def __init__(self, echo, moment):
        self._answer = echo.first
        self._moment = moment
        self._lock = threading.Lock()
        self.count = 0
        self.reached = threading.Event()
        echo.first = self.respond

    def respond(self, prompt, times):
        with self._lock:
            self.count += 1
            if self.count >= self._moment:
                self.reached.set()
        time.sleep(0.01)  # more than one request is in flight when the process is killed
        return self._answer(prompt, times)


def start_child(echo, journal, *judge):
    command = [sys.executable, "-c", CHILD, echo.url, str(journal), *judge]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until_read(echo):
    """Wait until the server has read what the killed process has sent: a later connection is accepted after all of its."""
    httpx.post(
        f"{echo.url}/v1/chat/completions", json={"messages": [{"content": "say that you are there"}]}, timeout=WAIT
    )
    wait_until(lambda: not echo.server._open)


@pytest.mark.parametrize(
    ("moment", "judge"), [(1, ()), (9, ()), (40, ()), (REQUESTS + 5, ("judge",)), (2 * REQUESTS - 3, ("judge",))]
)
def test_killed_run_resumes_without_asking_again(echo, tmp_path, moment, judge):
    verdicts(echo)
    answer = echo.first
    journal = tmp_path / "run.jsonl"
    slow = Slow(echo, moment)
    child = start_child(echo, journal, *judge)
    try:
        assert slow.reached.wait(2 * WAIT)
    finally:
        child.kill()
        child.wait(WAIT)
    echo.first = answer
    wait_until_read(echo)
    kept = len(entries(journal))
    before = Counter(echo.sent)
    rows = [{"letter": f"say {number}", "label": "x"} for number in range(12)]
    config = echo.config(name="a", key=None)
    plan = plan_for([config], rows, sweep={"temperature": [0, 1]}, repeats=2)
    if judge:
        plan = replace(plan, judges=tuple(make_judges(config.merged(name="big"), "5: loud.", plan.settings)))
    evaluation = run(plan, journal=journal)
    assert set(evaluation.outcomes.columns.error) == {""}
    wanted = REQUESTS * (2 if judge else 1)
    assert prompts(echo) - sum(before.values()) == wanted - kept
    assert len(entries(journal)) == wanted

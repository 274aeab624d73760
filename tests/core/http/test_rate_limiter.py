"""The gate before an endpoint: threads and coroutines wait for their turn, and a run that is stopped waits no more."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from azml_magics.compare.fan_out import amap, invoke_many, map_in_threads
from azml_magics.core.client import ainvoke, invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, RateLimitError
from azml_magics.core.http import rate_limiter, recording
from azml_magics.core.http.rate_limiter import Gate, RunCancelled, RunPacing, gate_of, pacing, turn_for
from azml_magics.core.http.retry import Answer
from azml_magics.core.http.window import Rate

from ..server import reply

OK = Answer(200, {}, b"{}")
HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})


@pytest.fixture(autouse=True)
def _nothing_learnt():
    rate_limiter.forget()
    yield
    rate_limiter.forget()


@pytest.fixture
def narrow():
    """A gate with room for one, that opens no further by itself."""
    made = Gate(Rate())
    made.rate.window, made.rate._opening, made.rate._cut = 1.0, False, time.monotonic()
    return made


def config(url="https://n.example.com/score", **fields):
    return LLMConfig(endpoint_url=url, formatter="gpt2", key=None, **fields)


# ---- whose gate


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ({}, {"name": "x", "model_kwargs": {"temperature": 1}, "timeout": 3}, True),
        ({}, {"url": "https://n.example.com/"}, True),
        ({}, {"url": "https://n.example.com/score?x=1"}, True),
        ({}, {"url": "https://n.example.com/v1/score"}, False),
        ({}, {"url": "https://m.example.com/score"}, False),
        ({}, {"deployment_name": "blue"}, False),
        ({"url": "https://h/api/v1/endpoint/a/score"}, {"url": "https://h/api/v1/endpoint/b/score"}, False),
    ],
)
def test_one_endpoint_has_one_gate(one, other, is_shared):
    assert (gate_of(config(**one)) is gate_of(config(**other))) is is_shared


def test_a_call_alone_takes_no_turn_and_many_do():
    assert turn_for(config()) is None
    with pacing() as run:
        assert turn_for(config()).run is run
        with pacing():
            assert turn_for(config()).run is not run
    assert turn_for(config()) is None


def test_where_a_tape_answers_nobody_waits(monkeypatch):
    monkeypatch.setattr(recording, "is_replaying", lambda: True)
    with pacing():
        assert turn_for(config()) is None


# ---- waiting


async def is_waiting(narrow):
    """Return once somebody waits."""
    while not narrow._waiting:  # noqa: ASYNC110 - the gate has no event for it
        await asyncio.sleep(0)


def test_a_thread_waits_until_another_leaves(narrow):
    run, order = RunPacing(), []
    began = narrow.enter(run)

    def second():
        narrow.enter(run)
        order.append("second in")

    thread = threading.Thread(target=second)
    thread.start()
    while not narrow._waiting:
        time.sleep(0.001)
    order.append("first out")
    narrow.leave(began, OK)
    thread.join(10)
    assert order == ["first out", "second in"]


async def test_a_coroutine_waits_until_another_leaves_from_whatever_thread(narrow):
    run = RunPacing()
    began = await narrow.aenter(run)
    second = asyncio.create_task(narrow.aenter(run))
    await is_waiting(narrow)
    assert not second.done()
    await asyncio.to_thread(narrow.leave, began, OK)
    await asyncio.wait_for(second, 10)
    assert narrow.rate.in_flight == 1


async def test_a_coroutine_that_is_cancelled_while_it_waits_leaves_the_queue(narrow):
    run = RunPacing()
    await narrow.aenter(run)
    second = asyncio.create_task(narrow.aenter(run))
    await is_waiting(narrow)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not narrow._waiting
    assert narrow.rate.in_flight == 1


def test_a_run_that_is_stopped_waits_no_more_and_others_go_on_waiting(narrow):
    stopped, other = RunPacing(), RunPacing()
    began, ended = narrow.enter(other), []

    def wait(run):
        try:
            narrow.enter(run)
            ended.append("in")
        except RunCancelled:
            ended.append("abandoned")

    with narrow.wishing(stopped):
        threads = [threading.Thread(target=wait, args=(run,)) for run in (stopped, other)]
        for thread in threads:
            thread.start()
        while len(narrow._waiting) < 2:
            time.sleep(0.001)
        stopped.stop()
        threads[0].join(10)
    assert ended == ["abandoned"]
    narrow.leave(began, OK)
    threads[1].join(10)
    assert ended == ["abandoned", "in"]


async def test_a_loop_that_ended_is_rung_in_vain(narrow):
    bell = rate_limiter._LoopBell(asyncio.new_event_loop())
    bell._loop.close()
    bell()


def test_a_pause_ends_with_the_run():
    run = RunPacing()
    run.stop()
    with pytest.raises(RunCancelled):
        run.pause(60)


def test_the_strictest_wish_counts_and_goes_with_its_run():
    shared = Gate()
    with shared.wishing(RunPacing(rpm=60)), shared.wishing(RunPacing(rpm=30, tpm=100)):
        assert shared._limits() == (30, 100)
    assert shared._limits() == (None, None)


# ---- many prompts


@pytest.fixture
def crowded(server):
    """An endpoint with room for two, which refuses the others with the reply that the test names."""
    state = {"inside": 0, "most": 0, "refused": 0, "refusal": reply(b"", 429, retry_after_ms="10")}
    lock = threading.Lock()

    def answer(connection, request):
        with lock:
            state["inside"] += 1
            is_full = state["inside"] > 2
            state["refused"] += is_full
        time.sleep(0.004)
        with lock:
            state["inside"] -= 1
        connection.sendall(state["refusal"] if is_full else HI)
        return True

    server.answers(answer)
    return state


@pytest.mark.parametrize("many", ["threads", "tasks"])
def test_a_batch_learns_how_much_room_there_is(server, crowded, config_of, many):
    asked = config_of(max_retries=8)
    prompts = [f"p{n}" for n in range(60)]
    if many == "threads":
        answers = invoke_many(asked, prompts, concurrency=12)
    else:
        answers = asyncio.run(amap(lambda prompt: ainvoke(asked, prompt), prompts, concurrency=12))
    assert [answer.text for answer in answers] == ["hi"] * 60
    assert crowded["refused"] > 0
    assert gate_of(asked).rate.window < 8
    assert gate_of(asked).rate.in_flight == 0


def test_a_batch_keeps_to_the_configs_retries(server, config_of):
    server.answers(reply(b"", 429, retry_after_ms="1"))
    (error,) = invoke_many(config_of(max_retries=1), ["p"], return_exceptions=True)
    assert isinstance(error, RateLimitError)
    assert len(server.received) == 2


def test_a_batch_begins_all_that_it_may_at_once(server, config_of):
    everybody = threading.Barrier(40)

    def answer(connection, request):
        everybody.wait(20)
        connection.sendall(HI)
        return True

    server.answers(answer)
    answers = invoke_many(config_of(), ["p"] * 40, concurrency=40)
    assert len(answers) == 40


def test_what_one_run_learnt_the_next_one_knows(server, config_of):
    asked = config_of(max_retries=3)
    server.answers(reply(b"", 429, retry_after_ms="1"), HI)
    invoke_many(asked, ["p"])
    assert gate_of(asked).rate.window == 2, "sixteen, one, and one more for the answer"
    assert invoke(asked, "alone").text == "hi"


def test_a_first_failure_ends_the_waiting_of_the_others(server, config_of):
    def work(item):
        if item:
            gate_of(asked).enter(rate_limiter._pacing.get())
        else:
            raise APIConnectionError("gone")

    asked = config_of()
    gate_of(asked).rate.held_until = float("inf")
    with pytest.raises(APIConnectionError):
        map_in_threads(work, [1, 1, 0], concurrency=3)


def test_latency_is_counted_from_the_turn_and_not_from_the_wait(server, config_of):
    asked = config_of()
    server.answers(HI)
    began = time.monotonic()
    gate_of(asked).rate.held_until = began + 0.3
    (answer,) = invoke_many(asked, ["p"])
    assert answer.latency <= time.monotonic() - began - 0.3

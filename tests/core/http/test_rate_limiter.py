"""Rate limiters: threads and coroutines wait for permits, and a stopped run waits no longer."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.fan_out import invoke_many, map_async, map_in_threads
from azml_magics.core.client import ainvoke, default_client, invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import APIConnectionError, RateLimitError
from azml_magics.core.http import permit
from azml_magics.core.http.clock import Clock
from azml_magics.core.http.exchange import HTTPResponse
from azml_magics.core.http.permit import Permit, RateLimiters, rate_limiter_for
from azml_magics.core.http.rate_limiter import RateLimiter
from azml_magics.core.http.run_control import RunCancelled, RunControl, current_run, limit_rate
from azml_magics.core.http.waiting import observe_waiting
from azml_magics.core.http.window import Window

from ..server import reply

OK = HTTPResponse(200, {}, b"{}")
HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})


@pytest.fixture(autouse=True)
def _fresh_limits():
    permit.reset()
    yield
    permit.reset()


class MovedClock(Clock):
    """A clock that a test moves; waiting moves it, too."""

    def __init__(self):
        self.time = 0.0
        self.waits = []

    def now(self):
        return self.time

    def wait(self, future, seconds):
        self.waits.append(seconds)
        self.time += seconds

    async def async_wait(self, future, seconds):
        self.wait(future, seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return MovedClock()


def narrow_window():
    """A window with room for one request, which does not grow with time."""
    window = Window(max_size=1)
    window._grows_fast, window._reduced_at = False, time.monotonic()
    return window


@pytest.fixture
def narrow():
    """A rate limiter with room for one request."""
    return RateLimiter(window=narrow_window())


def config(url="https://n.example.com/score", **fields):
    return LLMConfig(endpoint_url=url, formatter="gpt2", key=None, **fields)


# ---- which rate limiter


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ({}, {"name": "x", "model_kwargs": {"temperature": 1}, "timeout": 3}, True),
        ({}, {"url": "https://n.example.com/"}, True),
        ({}, {"url": "https://n.example.com/score?x=1"}, True),
        ({}, {"url": "https://N.example.com:443/score"}, True),
        ({}, {"url": "https://n.example.com/v1/chat/completions"}, True),
        ({}, {"url": "https://n.example.com:8443/score"}, False),
        ({"deployment_name": "blue"}, {"deployment_name": "Blue"}, True),
        ({"model": "gpt-5"}, {"model_kwargs": {"model": "gpt-5"}}, True),
        ({"model": "gpt-5"}, {"model": "gpt-6"}, False),
        (
            {"url": "https://h/openai/deployments/a/chat/completions", "model": "x"},
            {"url": "https://h/openai/deployments/A/completions?api-version=1"},
            True,
        ),
        ({"url": "https://h/openai/deployments/a"}, {"url": "https://h/openai/deployments/b"}, False),
        ({}, {"url": "https://m.example.com/score"}, False),
        ({}, {"deployment_name": "blue"}, False),
        ({"url": "https://h/api/v1/endpoint/a/score"}, {"url": "https://h/api/v1/endpoint/b/score"}, False),
    ],
)
def test_configs_of_one_endpoint_share_a_rate_limiter(one, other, is_shared):
    assert (rate_limiter_for(config(**one)) is rate_limiter_for(config(**other))) is is_shared


def test_limiter_of_a_client_is_that_of_all_its_calls():
    own = RateLimiter(rpm=60)
    limiters = RateLimiters.of(own)
    assert limiters.get(config()) is limiters.get(config("https://m.example.com/score")) is own
    assert limiters.permit(config()).limiter is own, "single calls wait for it, too"
    assert RateLimiters.of(limiters) is limiters


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
@pytest.mark.parametrize("name", ["rpm", "tpm", "max_concurrency"])
def test_limits_must_be_above_zero(name, limit):
    with pytest.raises(ValueError, match=f"{name} takes a number above 0"):
        RateLimiter(**{name: limit})


def test_single_calls_need_no_permit():
    assert default_client()._permit(config()) is None
    with limit_rate() as run:
        assert default_client()._permit(config()).run is run
        with limit_rate():
            assert default_client()._permit(config()).run is not run
    assert default_client()._permit(config()) is None


def test_replayed_calls_need_no_permit(monkeypatch):
    monkeypatch.setattr(type(default_client()), "is_replaying", True)
    with limit_rate():
        assert default_client()._permit(config()) is None


# ---- the queue, on a moved clock


def test_requests_start_in_order_of_arrival(clock):
    limiter, run = RateLimiter(window=narrow_window(), clock=clock), RunControl()
    tickets = [limiter.enter(run) for _ in range(3)]
    assert [ticket.done() for ticket in tickets] == [True, False, False]
    limiter.release(0.0, OK)
    assert [ticket.done() for ticket in tickets] == [True, True, False]
    late = limiter.enter(run)
    limiter.release(0.0, OK)
    assert tickets[2].done()
    assert not late.done()


def test_places_open_with_time(clock):
    limiter, run = RateLimiter(clock=clock), RunControl()
    for _ in range(16):
        assert limiter.enter(run).done()
    waiting = [limiter.enter(run) for _ in range(2)]
    assert not any(ticket.done() for ticket in waiting)
    clock.time += 0.0021
    limiter.start_ready()
    assert [ticket.done() for ticket in waiting] == [True, False]


def test_waiting_request_sleeps_until_its_pause_ends(clock):
    limiter = RateLimiter(clock=clock)
    limiter.release(limiter.acquire(RunControl()), HTTPResponse(429, {"retry-after": "12"}))
    assert limiter.acquire(RunControl()) == pytest.approx(12.0)
    assert max(clock.waits) == 1.0, "it looks once a second whether its run was stopped"


def test_own_limits_space_requests(clock):
    limiter = RateLimiter(rpm=30, clock=clock)
    assert [limiter.acquire(RunControl()) for _ in range(3)] == pytest.approx([0.0, 2.0, 4.0])


def test_own_concurrency_is_never_exceeded(clock):
    limiter, run = RateLimiter(max_concurrency=2, clock=clock), RunControl(initial_window=40)
    assert [limiter.enter(run).done() for _ in range(4)] == [True, True, False, False]
    clock.time += 3600
    limiter.start_ready()
    assert limiter.window.in_flight == 2


def test_leaving_gives_the_place_to_the_next(clock):
    limiter, run = RateLimiter(window=narrow_window(), clock=clock), RunControl()
    first, second, third = (limiter.enter(run) for _ in range(3))
    limiter.leave(second)
    limiter.leave(first)
    assert third.done()
    assert not second.done()
    limiter.leave(third)
    assert limiter.window.in_flight == 0


STEPS = st.one_of(
    st.just("enter"),
    st.tuples(st.sampled_from(["leave", "succeed", "overload", "give up"]), st.integers(0, 30)),
    st.tuples(st.just("advance"), st.floats(0, 30)),
)


@given(st.lists(STEPS, max_size=60), st.none() | st.integers(1, 5), st.none() | st.integers(1, 600))
def test_every_request_starts_in_the_end_and_no_place_is_lost(steps, max_concurrency, rpm):
    clock = MovedClock()
    limiter, run = RateLimiter(max_concurrency=max_concurrency, rpm=rpm, clock=clock), RunControl(give_up_after=900)
    outcomes = {"succeed": OK, "overload": HTTPResponse(429, {"retry-after": "20"}), "give up": None}
    tickets = []
    for step in steps:
        if step == "enter":
            tickets.append(limiter.enter(run))
        elif step[0] == "advance":
            clock.time += step[1]
            limiter.start_ready()
        elif tickets:
            ticket = tickets[step[1] % len(tickets)]
            if step[0] == "leave":
                limiter.leave(tickets.pop(step[1] % len(tickets)))
            elif ticket.done():
                tickets.remove(ticket)
                limiter.release(ticket.result(), outcomes[step[0]], run)
        started = [ticket.done() for ticket in tickets]
        assert limiter.window.in_flight == sum(started)
        assert limiter.window.in_flight <= (max_concurrency or math.inf)
        assert started == sorted(started, reverse=True), "in order of arrival"
    while tickets:
        clock.time += 120
        limiter.start_ready()
        first = tickets.pop(0)
        assert first.done()
        limiter.release(first.result(), OK, run)
    assert limiter.window.in_flight == 0


def test_long_retry_after_ends_the_run_and_says_when(clock):
    limiter, run = RateLimiter(window=narrow_window(), clock=clock), RunControl()
    permit = Permit(limiter, run)
    permit.acquire()
    waiting = limiter.enter(run)
    permit.release(HTTPResponse(429, {"retry-after": "3600"}))
    assert waiting.cancelled()
    with pytest.raises(RateLimitError, match="It accepts requests again in 1 h 0 min, at "):
        permit.acquire()
    Permit(limiter, RunControl()).acquire()  # a new run asks the endpoint again


def test_long_retry_after_does_not_end_another_run(clock):
    limiter, patient, short = RateLimiter(clock=clock), RunControl(give_up_after=900), RunControl()
    permit = Permit(limiter, short)
    permit.acquire()
    permit.release(HTTPResponse(429, {"retry-after": "300"}))
    with pytest.raises(RateLimitError):
        permit.acquire()
    assert limiter.acquire(patient) == pytest.approx(300.0)


def test_pause_is_reported_while_a_request_waits(clock):
    shown = []
    permit = Permit(RateLimiter(clock=clock), RunControl())
    with observe_waiting(lambda waiting: shown.append(str(waiting))):
        permit.acquire()
        permit.release(HTTPResponse(429, {"retry-after": "12"}))
        assert str(permit.limiter.pause) == "429: waiting 12 s"
        permit.acquire()
    assert shown == ["429: waiting 12 s", "None"]
    assert permit.limiter.pause is None


def test_stopped_run_gives_back_what_it_got_meanwhile(narrow):
    run, other = RunControl(), RunControl()
    narrow.acquire(other)

    class StopWhileWaiting(MovedClock):
        def wait(self, future, seconds):
            narrow.release(0.0, OK)
            run.stopped.set()

    narrow._clock = StopWhileWaiting()
    with pytest.raises(RunCancelled):
        narrow.acquire(run)
    assert narrow.window.in_flight == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_starts_with_nothing_in_flight():
    limiter = RateLimiter(max_concurrency=1)
    limiter.acquire(RunControl())
    limiter.enter(RunControl())
    with limiter._lock:  # as if another thread held it
        child = os.fork()
        if not child:
            is_fresh = limiter.window.in_flight == 0 and limiter.enter(RunControl()).done()
            os._exit(0 if is_fresh else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert limiter.window.in_flight == 1


# ---- waiting


async def until_one_waits(narrow):
    """Return once a request waits."""
    while not narrow._queue:  # noqa: ASYNC110 - the rate limiter has no event for it
        await asyncio.sleep(0)


def test_thread_waits_until_another_releases(narrow):
    run, order = RunControl(), []
    began = narrow.acquire(run)

    def second():
        narrow.acquire(run)
        order.append("second in")

    thread = threading.Thread(target=second)
    thread.start()
    while not narrow._queue:
        time.sleep(0.001)
    order.append("first out")
    narrow.release(began, OK)
    thread.join(10)
    assert order == ["first out", "second in"]


async def test_coroutine_waits_until_another_thread_releases(narrow):
    run = RunControl()
    began = await narrow.aacquire(run)
    second = asyncio.create_task(narrow.aacquire(run))
    await until_one_waits(narrow)
    assert not second.done()
    await asyncio.to_thread(narrow.release, began, OK)
    await asyncio.wait_for(second, 10)
    assert narrow.window.in_flight == 1


async def test_cancelled_coroutine_leaves_the_queue(narrow):
    run = RunControl()
    await narrow.aacquire(run)
    second = asyncio.create_task(narrow.aacquire(run))
    await until_one_waits(narrow)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not narrow._queue
    assert narrow.window.in_flight == 1


def test_stopping_a_run_ends_only_its_own_waiting(narrow):
    stopped, other = RunControl(), RunControl()
    began, ended = narrow.acquire(other), []

    def wait(run):
        try:
            narrow.acquire(run)
            ended.append("in")
        except RunCancelled:
            ended.append("cancelled")

    with narrow.apply_limits(stopped):
        threads = [threading.Thread(target=wait, args=(run,)) for run in (stopped, other)]
        for thread in threads:
            thread.start()
        while len(narrow._queue) < 2:
            time.sleep(0.001)
        stopped.stop()
        threads[0].join(10)
    assert ended == ["cancelled"]
    narrow.release(began, OK)
    threads[1].join(10)
    assert ended == ["cancelled", "in"]


def test_waking_a_coroutine_of_a_closed_loop_does_nothing(narrow):
    run = RunControl()

    async def cancelled_while_waiting():
        await narrow.aacquire(run)
        second = asyncio.create_task(narrow.aacquire(run))
        await until_one_waits(narrow)
        return second

    asyncio.run(cancelled_while_waiting())
    narrow.release(0.0, OK)
    assert narrow.window.in_flight == 0


def test_pause_ends_when_the_run_is_stopped():
    run = RunControl()
    run.stop()
    with pytest.raises(RunCancelled):
        run.pause(60)


def test_strictest_limits_apply_while_their_run_lasts():
    shared = RateLimiter()
    with shared.apply_limits(RunControl(rpm=60)), shared.apply_limits(RunControl(rpm=30, tpm=100)):
        assert shared._limits() == (30, 100)
    assert shared._limits() == (None, None)


# ---- many prompts


@pytest.fixture
def crowded(server):
    """An endpoint with room for two requests, which sends the test's error to the others."""
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

    server.respond_with(answer)
    return state


@pytest.mark.parametrize("many", ["threads", "tasks"])
def test_batch_learns_the_endpoints_capacity(server, crowded, config_of, many):
    asked = config_of(max_retries=8)
    prompts = [f"p{n}" for n in range(60)]
    if many == "threads":
        answers = invoke_many(asked, prompts, concurrency=12)
    else:
        answers = asyncio.run(map_async(lambda prompt: ainvoke(asked, prompt), prompts, concurrency=12))
    assert [answer.text for answer in answers] == ["hi"] * 60
    assert crowded["refused"] > 0
    assert rate_limiter_for(asked).window.size < 8
    assert rate_limiter_for(asked).window.in_flight == 0


def test_batch_respects_max_retries_of_the_config(server, config_of):
    server.respond_with(reply(b"", 429, retry_after_ms="1"))
    (error,) = invoke_many(config_of(max_retries=1), ["p"], return_exceptions=True)
    assert isinstance(error, RateLimitError)
    assert len(server.received) == 2


def test_batch_starts_with_its_whole_concurrency(server, config_of):
    everybody = threading.Barrier(40)

    def answer(connection, request):
        everybody.wait(20)
        connection.sendall(HI)
        return True

    server.respond_with(answer)
    answers = invoke_many(config_of(), ["p"] * 40, concurrency=40)
    assert len(answers) == 40


def test_limits_learned_persist_for_the_next_run(server, config_of):
    asked = config_of(max_retries=3)
    server.respond_with(reply(b"", 429, retry_after_ms="1"), HI)
    invoke_many(asked, ["p"])
    assert rate_limiter_for(asked).window.size == 2, "sixteen, one, and one more for the answer"
    assert invoke(asked, "alone").text == "hi"


def test_first_failure_ends_the_waiting_of_the_others(server, config_of):
    def work(item):
        if item:
            rate_limiter_for(asked).acquire(current_run())
        else:
            raise APIConnectionError("gone")

    asked = config_of()
    rate_limiter_for(asked).window.paused_until = float("inf")
    with pytest.raises(APIConnectionError):
        map_in_threads(work, [1, 1, 0], concurrency=3)


def test_latency_excludes_the_wait_for_a_permit(server, config_of):
    asked = config_of()
    server.respond_with(HI)
    began = time.monotonic()
    rate_limiter_for(asked).window.paused_until = began + 0.3
    (answer,) = invoke_many(asked, ["p"])
    assert answer.latency <= time.monotonic() - began - 0.3

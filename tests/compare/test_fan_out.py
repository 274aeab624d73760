"""Many prompts at once: bounded, lazy, in order, and stopped together."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.compare.fan_out import invoke_many, map_async, map_in_threads
from azml_magics.core.errors import BadRequestError

from ..core.server import reply


@given(st.integers(1, 12), st.lists(st.integers(0, 5), max_size=30))
def test_map_async_keeps_the_order_of_items(concurrency, steps):
    at_once = most = 0

    async def work(item):
        nonlocal at_once, most
        index, length = item
        at_once += 1
        most = max(most, at_once)
        for _ in range(length):
            await asyncio.sleep(0)
        at_once -= 1
        return index

    results = asyncio.run(map_async(work, enumerate(steps), concurrency=concurrency))
    assert results == list(range(len(steps)))
    assert most <= concurrency


async def test_map_async_reads_items_lazily():
    taken = []
    gate = asyncio.Semaphore(0)

    def items():
        for number in range(10):
            taken.append(number)
            yield number

    async def work(item):
        await gate.acquire()
        return item

    task = asyncio.create_task(map_async(work, items(), concurrency=3))
    for expected in (3, 4, 5):
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(taken) == expected
        gate.release()
    for _ in range(10):
        gate.release()
    assert await task == list(range(10))


async def test_map_async_raises_the_first_error_and_cancels_others():
    ended = []

    async def work(item):
        if item == 2:
            await asyncio.sleep(0.01)
            raise ValueError("two")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(item)
            raise

    with pytest.raises(ValueError, match="two"):
        await map_async(work, range(100), concurrency=4)
    assert sorted(ended) == [0, 1, 3]


async def test_map_async_returns_exceptions_in_place():
    async def work(item):
        if item % 2:
            raise ValueError(item)
        return item

    results = await map_async(work, range(5), concurrency=2, return_exceptions=True)
    assert [r if isinstance(r, int) else str(r) for r in results] == [0, "1", 2, "3", 4]


async def test_map_async_calls_on_result_for_each_result():
    told = {}

    async def work(item):
        if item == 1:
            raise ValueError("one")
        return item * 10

    await map_async(work, range(3), return_exceptions=True, on_result=told.__setitem__)
    assert (told[0], told[2]) == (0, 20)
    assert isinstance(told[1], ValueError)


async def test_map_async_raises_errors_of_reading_items():
    def items():
        yield 1
        raise OSError("disk")

    async def work(item):
        return item

    with pytest.raises(OSError, match="disk"):
        await map_async(work, items(), return_exceptions=True)


async def test_map_of_no_items_is_empty():
    assert await map_async(asyncio.sleep, []) == []


@pytest.mark.parametrize("concurrency", [0, -1])
async def test_map_async_refuses_concurrency_below_one(concurrency):
    with pytest.raises(ValueError, match=f"at least 1, not {concurrency}"):
        await map_async(asyncio.sleep, [], concurrency=concurrency)


async def test_cancelling_map_async_cancels_its_work():
    ended = []

    async def work(item):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(item)

    task = asyncio.create_task(map_async(work, range(9), concurrency=3))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [0, 1, 2]


# ---- map_in_threads


async def test_map_in_threads_works_inside_a_running_loop():
    names = map_in_threads(lambda _: threading.current_thread().name, range(3))
    assert set(names) == {"azml-magics-batch"}


def test_map_in_threads_keeps_order_and_concurrency():
    busy, most, lock = [0], [0], threading.Lock()

    def work(item):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.002 * (item % 3))
        with lock:
            busy[0] -= 1
        return item * 2

    assert map_in_threads(work, iter(range(50)), concurrency=5) == [2 * item for item in range(50)]
    assert 1 < most[0] <= 5


def test_map_in_threads_stops_at_the_first_failure():
    begun = []

    def work(item):
        begun.append(item)
        if item == 2:
            raise BadRequestError("no")
        return item

    with pytest.raises(BadRequestError, match="no"):
        map_in_threads(work, range(1000), concurrency=2)
    assert len(begun) < 1000


def test_map_in_threads_returns_exceptions_in_place():
    def work(item):
        if item == 1:
            raise BadRequestError("no")
        return item

    first, second, third = map_in_threads(work, range(3), return_exceptions=True)
    assert (first, type(second), third) == (0, BadRequestError, 2)


def test_map_in_threads_raises_errors_of_reading_items():
    def items():
        yield 1
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        map_in_threads(lambda item: item, items(), return_exceptions=True)


def test_map_in_threads_keeps_context_variables():
    trace = contextvars.ContextVar("trace", default="none")
    trace.set("the cell's")
    assert map_in_threads(lambda _: trace.get(), range(4)) == ["the cell's"] * 4


def test_map_in_threads_refuses_concurrency_below_one():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        map_in_threads(print, [], concurrency=0)


def test_kernel_interrupt_returns_at_once_and_starts_nothing_more():
    begun, release = [], threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def work(item):
        begun.append(item)
        if len(begun) == 2:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        release.wait(20)

    try:
        with pytest.raises(KeyboardInterrupt):
            map_in_threads(work, range(50), concurrency=2)
    finally:
        signal.signal(signal.SIGINT, before)
        release.set()
    for thread in threading.enumerate():
        if thread.name == "azml-magics-batch":
            thread.join(20)
    assert len(begun) == 2


# ---- invoke_many


def echo(connection, request) -> bool:
    prompt = request.json["inputs"]["input_string"][0]
    connection.sendall(reply({"detail": "no"}, 400) if prompt == "bad" else reply([prompt.upper()]))
    return True


def test_invoke_many_returns_responses_in_order(server, config_of):
    server.respond_with(echo)
    answers = invoke_many(config_of("/score", formatter="gpt2"), (f"p{n}" for n in range(40)), concurrency=8)
    assert [answer.text for answer in answers] == [f"P{n}" for n in range(40)]
    assert server.connections <= 8


def test_invoke_many_returns_a_failure_in_place(server, config_of):
    server.respond_with(echo)
    config = config_of("/score", formatter="gpt2")
    with pytest.raises(BadRequestError, match="config 'prod'"):
        invoke_many(config, ["a", "bad", "c"])
    one, two, three = invoke_many(config, ["a", "bad", "c"], return_exceptions=True)
    assert (one.text, type(two), three.text) == ("A", BadRequestError, "C")

"""The threads of an abatch: its calls go there, in their own context, and nothing waits for them at the end."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

from azml_magics.langchain.threads import Threads, current, threads


@pytest.fixture
def pool():
    made = Threads(3)
    yield made
    made.close()


async def test_calls_run_in_threads_as_many_as_are_needed_and_no_more(pool):
    assert await pool.call(lambda: threading.current_thread().name) == "azml-magics-abatch"
    await pool.call(len, "abc")
    assert pool._begun == 1
    everybody = threading.Barrier(3)
    await asyncio.gather(*(pool.call(everybody.wait, 20) for _ in range(3)))
    await asyncio.gather(*(pool.call(len, "abc") for _ in range(20)))
    assert pool._begun == 3


async def test_what_a_call_raises_is_raised_where_it_is_waited_for(pool):
    with pytest.raises(ZeroDivisionError):
        await pool.call(lambda: 1 / 0)
    assert await pool.call(len, "abc") == 3


async def test_a_call_sees_its_callers_context(pool):
    name = contextvars.ContextVar("name", default="nobody")
    name.set("the caller")
    assert await pool.call(name.get) == "the caller"


async def test_a_cancelled_call_is_waited_for_by_nobody(pool):
    begun, go = threading.Event(), threading.Event()
    task = asyncio.create_task(pool.call(lambda: begun.set() or go.wait(20)))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert await pool.call(len, "abc") == 3


def test_a_call_alone_has_none():
    assert current() is None
    with threads(2):
        assert isinstance(current(), Threads)
    assert current() is None


def test_a_program_that_ends_in_the_midst_of_calls_ends():
    code = """
import asyncio, time
from azml_magics.langchain.threads import Threads
async def main():
    task = asyncio.create_task(Threads(1).call(time.sleep, 600))
    await asyncio.sleep(0.1)
    task.cancel()
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

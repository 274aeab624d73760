"""A tool runs in the thread of its caller, for a limited time."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import threading
import time

import pytest

from azml_magics.core.tools.running import ToolTimeoutError, acall_tool, call_tool


@pytest.fixture(autouse=True)
def _interruptible():
    """SIGINT as in a terminal: it is ignored in what a shell has started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def sleep(seconds=60):
    time.sleep(seconds)
    return "slept"


def test_a_function_runs_in_the_main_thread_also_with_a_handler_of_its_own():
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        connection = sqlite3.connect(":memory:")
        assert call_tool(lambda: connection.execute("select 1").fetchone(), {}, 60) == (1,)
        connection.close()
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_time_limit_ends_what_blocks_and_gives_the_signal_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ToolTimeoutError):
        call_tool(sleep, {}, 0.2)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_function_cannot_catch_the_time_limit_as_an_error():
    def stubborn():
        try:
            sleep()
        except Exception:
            return "caught"

    with pytest.raises(ToolTimeoutError):
        call_tool(stubborn, {}, 0.2)


def test_an_interrupt_is_not_taken_for_the_time_limit():
    def interrupted():
        signal.raise_signal(signal.SIGINT)
        sleep()

    with pytest.raises(KeyboardInterrupt):
        call_tool(interrupted, {}, 60)


@pytest.mark.parametrize("limit", [None, 60])
def test_errors_of_a_function_are_raised_as_they_are(limit):
    with pytest.raises(ZeroDivisionError):
        call_tool(lambda: 1 // 0, {}, limit)


def test_in_another_thread_a_late_function_is_left_behind():
    outcome = []

    def call():
        with pytest.raises(ToolTimeoutError):
            call_tool(sleep, {"seconds": 5}, 0.2)
        outcome.append(call_tool(lambda: "fine", {}, 60))
        with pytest.raises(ZeroDivisionError):
            call_tool(lambda: 1 // 0, {}, 60)
        outcome.append("raised")

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(50)
    assert outcome == ["fine", "raised"]


def test_an_asynchronous_function_is_limited_too():
    async def wait():
        await asyncio.sleep(60)

    with pytest.raises(ToolTimeoutError):
        call_tool(wait, {}, 0.2)


async def test_on_a_loop_a_function_that_blocks_holds_nothing_up():
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)

    ticking = asyncio.ensure_future(tick())
    assert await acall_tool(sleep, {"seconds": 0.2}, 60) == "slept"
    with pytest.raises(ToolTimeoutError):
        await acall_tool(sleep, {"seconds": 1}, 0.2)
    ticking.cancel()
    assert len(ticks) > 3

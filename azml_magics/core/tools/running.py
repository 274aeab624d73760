"""Runs one tool, at most for so long: in the calling thread if it can be interrupted there.

A tool often belongs to the thread that made what it uses, such as a connection of sqlite3 or a figure. So a function
that is called in the main thread runs in it, and a timer interrupts it as Ctrl+C would. Nothing can interrupt another
thread: from there it runs in a thread of its own, which is left behind if it takes too long.
"""

from __future__ import annotations

import contextvars
import inspect
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from ..interrupts import unmask_interrupts
from ..key_sources import background_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

_POLL = 0.05  # seconds between two looks, so that an interrupt is handled at once
_DELIVERY = 1.0  # seconds for a signal that was sent to arrive


class ToolTimeoutError(TimeoutError):
    """A tool did not return in time."""


def call_tool(function: Callable[..., Any], arguments: Mapping[str, Any], timeout: float | None) -> Any:
    """Return what the function returns; an asynchronous one runs on a loop in a thread of its own.

    Raises:
        ToolTimeoutError: It took longer than `timeout` seconds.
        KeyboardInterrupt: The user interrupted it.
    """
    start = time.monotonic()
    if timeout is None:
        value = function(**arguments)
    elif _is_interruptible():
        value = _call_with_timer(function, arguments, timeout)
    else:
        value = _call_in_thread(function, arguments, timeout)
    if not inspect.isawaitable(value):
        return value
    return _await(value, None if timeout is None else max(0.0, timeout - (time.monotonic() - start)))


async def acall_tool(function: Callable[..., Any], arguments: Mapping[str, Any], timeout: float | None) -> Any:
    """Return what the function returns, without holding up the running loop: one that is not asynchronous runs in a
    thread.

    Raises:
        ToolTimeoutError: It took longer than `timeout` seconds.
    """
    import asyncio

    async def call() -> Any:
        if inspect.iscoroutinefunction(inspect.unwrap(function)):
            return await function(**arguments)
        value = await asyncio.to_thread(lambda: function(**arguments))
        return await value if inspect.isawaitable(value) else value

    task = asyncio.ensure_future(call())
    done, _ = await asyncio.wait({task}, timeout=timeout)
    if not done:
        task.cancel()
        raise ToolTimeoutError
    return task.result()


def _is_interruptible() -> bool:
    """Whether a signal can end a call in this thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and callable(signal.getsignal(signal.SIGINT))


class _TimeIsUp(BaseException):
    """Raised within a tool by the timer. No `except Exception` of the tool catches it."""


class _Timer:
    """Interrupts the main thread once, unless it is stopped before. Other interrupts go where they went before.

    Args:
        seconds: When.
    """

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._is_stopped = self._has_arrived = self._has_fired = False
        self._handler: Any = signal.signal(signal.SIGINT, self._handle)
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._has_fired or self._has_arrived:
            self._handler(number, frame)
            return
        self._has_arrived = True
        if not self._is_stopped:
            raise _TimeIsUp

    def _fire(self) -> None:
        with self._lock:
            if self._is_stopped:
                return
            self._has_fired = True
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, signal.SIGINT)  # also ends a system call that blocks
        else:  # Windows
            import _thread

            _thread.interrupt_main()

    def stop(self) -> None:
        """Fire no more, and give the signal back."""
        self._timer.cancel()
        with self._lock:
            self._is_stopped = True
        end = time.monotonic() + _DELIVERY
        while self._has_fired and not self._has_arrived and time.monotonic() < end:
            time.sleep(_POLL)  # the interrupt is still on its way: it must not hit anything else
        signal.signal(signal.SIGINT, self._handler)


def _call_with_timer(function: Callable[..., Any], arguments: Mapping[str, Any], timeout: float) -> Any:
    timer = _Timer(timeout)
    try:
        try:
            return function(**arguments)
        finally:
            timer.stop()
    except _TimeIsUp:
        timer.stop()
        raise ToolTimeoutError from None


def _call_in_thread(function: Callable[..., Any], arguments: Mapping[str, Any], timeout: float) -> Any:
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def call() -> None:
        try:
            outcome[:] = [context.run(lambda: function(**arguments)), None]
        except BaseException as error:  # noqa: BLE001 - also SystemExit: the caller's thread raises it
            outcome[:] = [None, error]

    thread = threading.Thread(target=call, name="azml-tool", daemon=True)
    thread.start()
    end = time.monotonic() + timeout
    while thread.is_alive() and time.monotonic() < end:
        thread.join(_POLL)
    if not outcome:
        raise ToolTimeoutError
    value, error = outcome
    if error is not None:
        raise error
    return value


def _await(awaitable: Any, timeout: float | None) -> Any:
    future = background_loop.submit(awaitable)
    end = None if timeout is None else time.monotonic() + timeout
    try:
        with unmask_interrupts():
            while not future.done():
                if end is not None and time.monotonic() > end:
                    raise ToolTimeoutError
                time.sleep(_POLL / 10)
        return future.result()
    finally:
        future.cancel()

"""The event loop, in a thread of its own, in which Runnables are awaited while the notebook's loop runs a cell."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "azml-magics-runnables"


class _DaemonThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own: one that does not end holds up neither others nor the exit."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start `fn` in a new thread."""
        future: Future[Any] = Future()
        threading.Thread(target=_call, args=(future, fn, args, kwargs), name=_NAME, daemon=True).start()
        return future


def _call(future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
        future.set_exception(error)
    else:
        future.set_result(result)


class _Loop:
    """One event loop in its own thread, for all calls.

    Providers keep connections that belong to their loop, langchain-openai longer than the extension is loaded: so the
    loop is stopped with the extension, started again later, and never closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_DaemonThreads(max_workers=1))
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> asyncio.AbstractEventLoop:
        """Start the loop if it is not running, and return it."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=_NAME, daemon=True)
                self._thread.start()
        return self._loop

    def stop(self) -> None:
        """Cancel the running tasks and end the thread. A call that is not a coroutine cannot be ended; it goes on."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        self._thread.join(timeout=2)
        self._thread = None

    def _run(self) -> None:
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):  # asyncio raises what a task raised; the task has it, too
                continue
            return

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        self._loop.stop()


_event_loop: _Loop | None = None
_making = threading.Lock()


def start_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop; it is made for the first Runnable that is called."""
    global _event_loop  # noqa: PLW0603 - one loop a process: providers keep connections that belong to it
    with _making:
        _event_loop = _event_loop or _Loop()
    return _event_loop.start()


def close() -> None:
    """Cancel what the event loop runs and end its thread."""
    if _event_loop is not None:
        _event_loop.stop()


class Await:
    """A call of a Runnable's `ainvoke` that a thread waits for.

    Args:
        runnable: The Runnable.
        given: Its input.
        config: The config of the call, such as its thread.
    """

    def __init__(self, runnable: Any, given: Any, config: Any = None) -> None:
        self._future = asyncio.run_coroutine_threadsafe(runnable.ainvoke(given, config), start_loop())

    def result(self) -> Any:
        """Wait for the output; raises what the Runnable raised, CancelledError once it was abandoned."""
        return self._future.result()

    def abandon(self) -> None:
        """Cancel the call, which closes its connections, unless it is not a coroutine."""
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._future.cancel()

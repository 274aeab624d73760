"""Threads in which the calls of an abatch send their requests: many at once go faster there than on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

R = TypeVar("R")
_current: contextvars.ContextVar[Threads | None] = contextvars.ContextVar("azml_threads", default=None)


class Threads:
    """At most `count` threads; one begins when a call comes and none is free. They hold up no interpreter's end."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._begun = self._busy = 0  # on the loop's thread alone
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """What the function gives, called in a thread, in the caller's context. A cancelled call ends by itself."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        if self._busy >= self._begun < self._count:
            self._begun += 1
            threading.Thread(target=self._work, name="azml-magics-abatch", daemon=True).start()
        self._busy += 1
        self._calls.put((contextvars.copy_context(), function, arguments, loop, future))
        try:
            return await future
        finally:
            self._busy -= 1

    def close(self) -> None:
        """Let the threads end once they have nothing more to do."""
        for _ in range(self._begun):
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            context, function, arguments, loop, future = call
            result = error = None
            try:
                result = context.run(function, *arguments)
            except BaseException as raised:  # noqa: BLE001 - raised where it is waited for
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # cancelled
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """In this block calls go to threads: see `current`."""
    made = Threads(count)
    token = _current.set(made)
    try:
        yield
    finally:
        _current.reset(token)
        made.close()


def current() -> Threads | None:
    """The threads of the abatch that this call belongs to; None for a call alone."""
    return _current.get()

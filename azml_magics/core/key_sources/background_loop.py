"""A loop in a thread of its own, for what is asynchronous and is needed by code that is not."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable
    from concurrent.futures import Future

_T = TypeVar("_T")


def run(awaitable: Awaitable[_T]) -> _T:
    """Return what `awaitable` gives. It runs on the same loop every time: its connections belong to that."""
    return submit(awaitable).result()


def submit(awaitable: Awaitable[_T]) -> Future[_T]:
    """Start what `run` waits for, and return a future that can be waited for in any thread, and cancelled."""
    import asyncio  # here: most programs have no event loop

    return asyncio.run_coroutine_threadsafe(_wait_for(awaitable), _loop())


async def _wait_for(awaitable: Awaitable[_T]) -> _T:
    return await awaitable


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    import asyncio

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="azml-loop", daemon=True).start()
    return loop

"""Many prompts, a bounded number at a time, results in order."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from .config import LLMConfig
    from .response import Response
    from .wire.base import Message

T = TypeVar("T")
R = TypeVar("R")
DEFAULT_CONCURRENCY = 16


async def amap(
    work: Callable[[T], Awaitable[R]],
    items: Iterable[T],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
    on_result: Callable[[int, R | Exception], Any] | None = None,
) -> list[R | Exception]:
    """`await work(item)` for every item, `concurrency` at a time; the results in the items' order.

    items: read lazily, one as a worker comes free.
    return_exceptions: an item's exception becomes its result; otherwise the first one ends the others and is raised.
    on_result: called with (index, result) as each is done.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    results: dict[int, R | Exception] = {}
    source = enumerate(items)

    async def worker() -> None:
        for index, item in source:
            try:
                result: R | Exception = await work(item)
            except Exception as error:
                if not return_exceptions:
                    raise
                result = error
            results[index] = result
            if on_result is not None:
                on_result(index, result)

    workers: list[asyncio.Task[None]] = []
    try:
        for _ in range(concurrency):
            workers.append(asyncio.create_task(worker()))
            if len(workers) % 16 == 0:
                await asyncio.sleep(0)  # lets the first ones send while the rest are made
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[index] for index in sorted(results)]


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """The coroutine's result, run on an event loop of its own in another thread: a notebook's own loop is running.

    A kernel interrupt cancels it before it is raised here.
    """
    outcome: Future[R] = Future()
    running: dict[str, Any] = {}

    async def supervised() -> R:
        running["loop"], running["task"] = asyncio.get_running_loop(), asyncio.current_task()
        return await coroutine

    def thread() -> None:
        try:
            outcome.set_result(asyncio.run(supervised()))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
            outcome.set_exception(error)

    context = contextvars.copy_context()  # traces and settings of the caller hold there, too
    worker = threading.Thread(target=context.run, args=(thread,), name="azml-magics-batch", daemon=True)
    worker.start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        if "loop" in running and not outcome.done():
            running["loop"].call_soon_threadsafe(running["task"].cancel)
        raise
    finally:
        worker.join(timeout=5)


def invoke_many(
    config: LLMConfig,
    prompts: Iterable[str | list[Message]],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> list[Response | Exception]:
    """The answers to all prompts, in order, `concurrency` requests at a time."""
    from .invoke import ainvoke

    return run(
        amap(
            lambda prompt: ainvoke(config, prompt),
            prompts,
            concurrency=concurrency,
            return_exceptions=return_exceptions,
        )
    )

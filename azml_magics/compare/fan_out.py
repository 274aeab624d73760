"""Many prompts, a bounded number at a time, results in order; each request waits for a permit."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.http.run_control import RunCancelled, RunControl, limit_rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.response import Response

T = TypeVar("T")
R = TypeVar("R")
DEFAULT_CONCURRENCY = 16


async def map_async(
    work: Callable[[T], Awaitable[R]],
    items: Iterable[T],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
    on_result: Callable[[int, R | Exception], Any] | None = None,
) -> list[R | Exception]:
    """Await `work(item)` for every item.

    Args:
        work: An async function of one item.
        items: Read lazily, one item whenever a worker becomes free.
        concurrency: Largest number of items at a time.
        return_exceptions: Whether an item's exception becomes its result; otherwise the first exception cancels the
            other items and is raised.
        on_result: Called with (index, result) when an item is done.

    Returns:
        The results in the items' order.

    Raises:
        ValueError: `concurrency` is below 1.
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
    run = RunControl(initial_window=concurrency)
    try:
        with limit_rate(run):  # each task keeps the context that it is made in
            for _ in range(concurrency):
                workers.append(asyncio.create_task(worker()))
                if len(workers) % 16 == 0:
                    await asyncio.sleep(0)  # the first ones send while the rest are made
        await asyncio.gather(*workers)
    finally:
        run.stop()
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[index] for index in sorted(results)]


def map_in_threads(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> list[R | Exception]:
    """Call `work(item)` for every item, in threads.

    This is faster than an event loop for many short requests, and it works while an event loop is running. Every
    thread has connections of its own and sees the caller's context variables. A kernel interrupt is raised here at
    once, and the requests under way are abandoned: their connections close.

    Args:
        work: A function of one item that blocks.
        items: Read lazily, one item whenever a thread becomes free.
        concurrency: Largest number of threads.
        return_exceptions: Whether an item's exception becomes its result; otherwise the first exception stops the
            items that have not begun and is raised.

    Returns:
        The results in the items' order.

    Raises:
        ValueError: `concurrency` is below 1.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    results: dict[int, R | Exception] = {}
    reading_errors: list[Exception] = []
    source, lock, stopped = enumerate(items), threading.Lock(), threading.Event()

    def next_item() -> tuple[int, T] | None:
        with lock:
            return None if stopped.is_set() else next(source, None)

    def worker() -> None:
        try:
            while (item := next_item()) is not None:
                index, value = item
                results[index] = _call(work, value)
                if isinstance(results[index], Exception) and not return_exceptions:
                    stopped.set()
        except RunCancelled:  # the run was stopped while an item waited for a permit
            pass
        except Exception as error:  # noqa: BLE001 - reading the items failed; raised below
            reading_errors.append(error)
            stopped.set()

    count = min(concurrency, len(items)) if isinstance(items, Sized) else concurrency
    run = RunControl(initial_window=count, stopped=stopped)
    threads = _make_threads(worker, count, run)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        run.abandon()
    ordered = [results[index] for index in sorted(results)]
    _raise_first([*([] if return_exceptions else ordered), *reading_errors])
    return ordered


def _raise_first(results: Iterable[Any]) -> None:
    for result in results:
        if isinstance(result, Exception):
            raise result


def _make_threads(worker: Callable[[], None], count: int, run: RunControl) -> list[threading.Thread]:
    """Threads that will run `worker`, each in the caller's context, and wait for permits."""
    with limit_rate(run):
        contexts = [contextvars.copy_context() for _ in range(count)]
    return [
        threading.Thread(target=context.run, args=(worker,), name="azml-magics-batch", daemon=True)
        for context in contexts
    ]


def _call(work: Callable[[T], R], item: T) -> R | Exception:
    """The result of `work`, or the exception that it raised."""
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 - it becomes the item's result, or is raised in the caller's thread
        return error


def invoke_many(
    config: LLMConfig,
    prompts: Iterable[str | list[Message]],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    return_exceptions: bool = False,
) -> list[Response | Exception]:
    """Send every prompt to `config`, in threads.

    Args:
        config: Where the requests go.
        prompts: Texts, or lists of messages.
        concurrency: Largest number of requests at a time.
        return_exceptions: Whether a failed request gives its exception; otherwise the first exception is raised.

    Returns:
        The responses in the prompts' order.
    """
    from ..core.client import invoke

    return map_in_threads(
        lambda prompt: invoke(config, prompt), prompts, concurrency=concurrency, return_exceptions=return_exceptions
    )

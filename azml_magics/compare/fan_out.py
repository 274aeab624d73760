"""Many prompts, a bounded number at a time, results in order; each request waits for a permit."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.http.rate_limiter import RunCancelled, RunControl, limit_rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.response import Response

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
    run = RunControl(initial_window=concurrency)
    try:
        with limit_rate(run):  # each task keeps the context that it is made in
            for _ in range(concurrency):
                workers.append(asyncio.create_task(worker()))
                if len(workers) % 16 == 0:
                    await asyncio.sleep(0)  # lets the first ones send while the rest are made
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
    """What `amap` gives, for a function that waits: threads, each with connections of its own.

    Faster than an event loop for requests that are short and many, and it works where one is running already. The
    caller's context variables hold in every thread. A kernel interrupt is raised here at once; the requests that are
    under way end in the background.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")
    results: dict[int, R | Exception] = {}
    unreadable: list[Exception] = []
    source, lock, stopped = enumerate(items), threading.Lock(), threading.Event()

    def next_item() -> tuple[int, T] | None:
        with lock:
            return None if stopped.is_set() else next(source, None)

    def worker() -> None:
        try:
            while (item := next_item()) is not None:
                index, value = item
                results[index] = _tried(work, value)
                if isinstance(results[index], Exception) and not return_exceptions:
                    stopped.set()
        except RunCancelled:  # the batch was stopped while an item waited for its turn
            pass
        except Exception as error:  # noqa: BLE001 - the items themselves could not be read; raised below
            unreadable.append(error)
            stopped.set()

    count = min(concurrency, len(items)) if isinstance(items, Sized) else concurrency
    run = RunControl(initial_window=count, stopped=stopped)
    threads = _threads(worker, count, run)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        run.stop()
    answers = [results[index] for index in sorted(results)]
    failures = [] if return_exceptions else answers
    _raise_first([*failures, *unreadable])
    return answers


def _raise_first(results: Iterable[Any]) -> None:
    for result in results:
        if isinstance(result, Exception):
            raise result


def _threads(worker: Callable[[], None], count: int, run: RunControl) -> list[threading.Thread]:
    """Threads that will run `worker`, each in the caller's context, and wait for permits."""
    with limit_rate(run):
        contexts = [contextvars.copy_context() for _ in range(count)]
    return [
        threading.Thread(target=context.run, args=(worker,), name="azml-magics-batch", daemon=True)
        for context in contexts
    ]


def _tried(work: Callable[[T], R], item: T) -> R | Exception:
    """What `work` gives, or the exception it raised."""
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
    """The answers to all prompts, in order, `concurrency` requests at a time."""
    from ..core.client import invoke

    return map_in_threads(
        lambda prompt: invoke(config, prompt), prompts, concurrency=concurrency, return_exceptions=return_exceptions
    )

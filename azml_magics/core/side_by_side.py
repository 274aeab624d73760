"""Several calls at once, each row filling as its answer streams in; one failure stops no other."""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .batch import amap
from .comparison import Batch, Row
from .errors import Interrupted, UsageError
from .invoke import ainvoke
from .stream import AsyncResponseStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .config import LLMConfig
    from .wire.base import Message

DEFAULT_CONCURRENCY = 8
_FRAME = 0.05


@dataclass(frozen=True)
class Ask:
    """One call of several, and what sets it apart; without `stream` its answer comes whole."""

    setting: Mapping[str, Any]
    config: LLMConfig
    messages: Sequence[Message]
    stream: bool = True


def sweep(config: LLMConfig, values: Mapping[str, Sequence[Any]]) -> list[tuple[dict[str, Any], LLMConfig]]:
    """(setting, config) for every combination of the kwargs' values, the last one changing fastest."""
    if any(not options for options in values.values()):
        raise UsageError("A sweep needs at least one value for each kwarg", remedy="Write --sweep temperature=0,0.5,1.")
    combinations = itertools.product(*values.values())
    settings = [dict(zip(values, combination, strict=True)) for combination in combinations]
    return [(setting, config.merged(model_kwargs=setting)) for setting in settings]


class SideBySide:
    """Calls under way in a thread of their own. `rows` is how far they are at any moment; `stop` ends them."""

    def __init__(self, asks: Iterable[Ask], *, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        self._asks = list(asks)
        self._concurrency = concurrency
        self._rows = [Row(ask.setting, ask.config) for ask in self._asks]
        self._streams: dict[int, AsyncResponseStream] = {}
        self._done = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="azml-magics-side-by-side", daemon=True)

    def start(self) -> SideBySide:
        """Begin; returns itself."""
        self._thread.start()
        return self

    @property
    def batch(self) -> Batch:
        """The rows so far, those that are still writing with what they have."""
        rows = list(self._rows)
        for index, stream in list(self._streams.items()):
            rows[index] = Row(rows[index].setting, rows[index].config, stream.response)
        return Batch(rows)

    def wait(self, seconds: float) -> bool:
        """Whether all are done, after at most that long."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """End what is under way; the rows keep what they have."""
        if self._loop is not None and self._task is not None and not self._done.is_set():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except asyncio.CancelledError:
            pass
        finally:
            self._done.set()

    async def _all(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        await amap(self._one, range(len(self._asks)), concurrency=self._concurrency)

    async def _one(self, index: int) -> None:
        ask = self._asks[index]
        try:
            if not ask.stream:
                self._rows[index] = Row(ask.setting, ask.config, await ainvoke(ask.config, ask.messages))
                return
            async with AsyncResponseStream(ask.config, ask.messages) as stream:
                self._streams[index] = stream
                async for _ in stream:
                    pass
            self._rows[index] = Row(ask.setting, ask.config, stream.response)
        except asyncio.CancelledError:
            arrived = self._streams[index].response if index in self._streams else None
            kept = arrived if arrived and arrived.text else None
            self._rows[index] = Row(ask.setting, ask.config, kept, Interrupted(kept))
            raise
        except Exception as error:  # noqa: BLE001 - one failure stops no other: it becomes its row's error
            self._rows[index] = Row(ask.setting, ask.config, getattr(error, "response", None), error)
        finally:
            self._streams.pop(index, None)


def run(
    asks: Iterable[Ask], *, concurrency: int = DEFAULT_CONCURRENCY, show: Callable[[Batch], Any] | None = None
) -> Batch:
    """All answers; `show` is called with the rows so far, at most 20 times a second, in this thread.

    A kernel interrupt ends the calls; the Interrupted that is raised has the rows in its `batch`.
    """
    calls = SideBySide(asks, concurrency=concurrency).start()
    try:
        while not calls.wait(_FRAME):
            if show is not None:
                show(calls.batch)
    except KeyboardInterrupt:
        calls.stop()
        raise Interrupted(batch=calls.batch) from None
    return calls.batch

"""Several calls at once, each row filling as its answer streams in; one failure stops no other."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.client import ainvoke, astream
from ..core.errors import AzmlError, Interrupted, UsageError
from ..core.http import recording
from ..core.keys import KeyRef
from ..core.prompt.extract import json_or_text
from .comparison import Batch, Row
from .fan_out import amap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.stream import AsyncResponseStream

DEFAULT_CONCURRENCY = 8
_FRAME = 0.05
_AGAIN = 1.0  # seconds after which what has not ended is cancelled once more
_PATIENCE = 0.4  # seconds that an interrupt waits for connections to close; they go on closing by themselves


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


def values_of(text: str) -> list[Any]:
    """The values that a person lists with commas between: each JSON where it is JSON, else text; or one JSON list."""
    for candidate in (text, f"[{text}]"):
        try:
            values = json.loads(candidate, parse_constant=lambda word: word)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, list):
            return values
    return [json_or_text(value.strip()) for value in text.split(",") if value.strip()]


class SideBySide:
    """Calls under way in a thread of their own. `batch` is how far they are at any moment; `stop` ends them.

    ValueError for a concurrency below 1.
    """

    def __init__(self, asks: Iterable[Ask], *, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self._asks = list(asks)
        self._concurrency = concurrency
        self._rows = [Row(ask.setting, ask.config) for ask in self._asks]
        self._streams: dict[int, AsyncResponseStream] = {}
        self._done = threading.Event()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="azml-magics-side-by-side", daemon=True)

    def start(self) -> SideBySide:
        """Begin; returns itself. Keys that a person types are asked for here, in the caller's thread."""
        for config in [] if recording.is_replaying() else [ask.config for ask in self._asks]:
            if isinstance(config.key, KeyRef) and config.key.scheme == "ask":
                with contextlib.suppress(AzmlError):  # its row will say so
                    config.key.resolve(config.endpoint_url)
        self._thread.start()
        return self

    @property
    def batch(self) -> Batch:
        """The rows so far: those that are still writing have what they have, those that were stopped an Interrupted."""
        streams = dict(self._streams)  # before the rows: one that ends in between is in both, not in neither
        rows, is_stopped = list(self._rows), self._stopping.is_set()
        for index, row in enumerate(rows):
            if row.response is None and row.error is None:
                so_far = replace(row, response=streams[index].response) if index in streams else row
                rows[index] = _stopped(so_far) if is_stopped else so_far
        return Batch(rows, is_complete=is_stopped or self._done.is_set())

    def wait(self, seconds: float) -> bool:
        """Whether all are done, after at most that long."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """End what is under way; the rows keep what they have. Nothing happens where all is done."""
        if not self._done.is_set():
            self._stopping.set()
            if self._loop is not None and self._task is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(self._cancel, self._loop, self._task)
        if self._thread.ident is not None:
            self._thread.join(timeout=_PATIENCE)

    def _cancel(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Cancel until it has ended: on Python 3.10 a connection that opens at that moment swallows it (anyio)."""
        if not task.done():
            task.cancel()
            loop.call_later(_AGAIN, self._cancel, loop, task)

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - no loop, or a fault of ours: no row may wait for ever
            self._rows = [row if row.response or row.error else replace(row, error=error) for row in self._rows]
        finally:
            self._done.set()

    async def _all(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if not self._stopping.is_set():
            await amap(self._one, range(len(self._asks)), concurrency=min(self._concurrency, len(self._asks) or 1))

    async def _one(self, index: int) -> None:
        ask = self._asks[index]
        try:
            if not ask.stream:
                self._rows[index] = Row(ask.setting, ask.config, await ainvoke(ask.config, ask.messages))
                return
            async with astream(ask.config, ask.messages) as stream:
                self._streams[index] = stream
                async for _ in stream:
                    pass
            self._rows[index] = Row(ask.setting, ask.config, stream.response)
        except asyncio.CancelledError:
            arrived = self._streams[index].response if index in self._streams else None
            self._rows[index] = _stopped(Row(ask.setting, ask.config, arrived))
            raise
        except Exception as error:  # noqa: BLE001 - one failure stops no other: it becomes its row's error
            self._rows[index] = Row(ask.setting, ask.config, getattr(error, "response", None), error)
        finally:
            self._streams.pop(index, None)


def _stopped(row: Row) -> Row:
    """The row as an interrupt leaves it: whole where the answer was, else with what had arrived, if anything."""
    if row.response is not None and row.response.finish_reason is not None:
        return row
    kept = replace(row.response, finish_reason="interrupted") if row.response and row.response.text else None
    return replace(row, response=kept, error=Interrupted(kept))


def run(
    asks: Iterable[Ask], *, concurrency: int = DEFAULT_CONCURRENCY, show: Callable[[Batch], Any] | None = None
) -> Batch:
    """All answers; `show` is called with the rows so far, at most 20 times a second, in this thread.

    A kernel interrupt ends the calls; the Interrupted that is raised has the rows in its `batch`. An error that `show`
    raises ends them, too.
    """
    calls = SideBySide(asks, concurrency=concurrency)
    try:
        calls.start()
        while not calls.wait(_FRAME):
            if show is not None:
                show(calls.batch)
    except BaseException as error:
        calls.stop()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(batch=calls.batch) from None
        raise
    calls.stop()
    return calls.batch

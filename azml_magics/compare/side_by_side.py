"""Several requests at once: each row of the batch fills as its response arrives, and a failure stops no other row."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.browser import check_threads
from ..core.client import ainvoke, astream
from ..core.errors import AzmlError, BadRequestError, Interrupted, UsageError
from ..core.hidden_arguments import hide_arguments
from ..core.http import recording
from ..core.http.waiting import observe_waiting
from ..core.interrupts import unmask_interrupts
from ..core.prompt.schema import is_response_format_refused, make_repair_messages
from ..core.prompt.values import parse_value
from .comparison import Batch, Row
from .fan_out import map_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.errors import SchemaError
    from ..core.messages import Message
    from ..core.prompt.schema import Schema
    from ..core.response import Response
    from ..core.stream import AsyncResponseStream
    from ..core.tools import Toolset

DEFAULT_CONCURRENCY = 8
_SHOW_INTERVAL = 0.05  # seconds between two calls of `show`
_CANCEL_AGAIN_AFTER = 1.0  # seconds
_CLOSE_TIMEOUT = 0.4  # seconds that an interrupt waits for connections to close; they go on closing in the background


@dataclass(frozen=True)
class BatchRequest:
    """One request of a batch.

    Attributes:
        setting: What sets it apart, by name, for example `{"temperature": 0.2}`.
        config: Where the request goes.
        messages: The prompt.
        stream: Whether the response arrives piece by piece, if the endpoint can stream; otherwise it arrives whole.
        schema: What the response must match; its object is then in the response's `parsed`. None for free text.
        repairs: The mismatch of an earlier response that this request has corrected; None if it is the first one.
        toolset: What the model may call.
    """

    setting: Mapping[str, Any]
    config: LLMConfig
    messages: Sequence[Message]
    stream: bool = True
    schema: Schema | None = None
    repairs: SchemaError | None = None
    toolset: Toolset | None = None

    def as_sent(self, *, by_instruction: bool = False) -> tuple[LLMConfig, Sequence[Message]]:
        """Return the config and the messages with what the schema and a repair add to them, without the tools.

        Args:
            by_instruction: Whether the schema goes into the prompt even if the route takes `response_format`.
        """
        if self.schema is None:
            return self.config, self.messages
        wrong, add_to = self.repairs, self.schema.add_to
        if wrong is None or wrong.response is None:
            return add_to(self.config, self.messages, by_instruction=by_instruction)
        messages = [*self.messages, *make_repair_messages(wrong.response, wrong)]
        return add_to(self.config, messages, by_instruction=by_instruction, in_words=True)

    def as_recorded(self) -> tuple[LLMConfig, Sequence[Message]]:
        """Return the config and the messages of the first request as they are sent, with the tools."""
        config, messages = self.as_sent()
        return (self.toolset.add_to(config) if self.toolset else config), messages


@hide_arguments
def expand_sweep(config: LLMConfig, values: Mapping[str, Sequence[Any]]) -> list[tuple[dict[str, Any], LLMConfig]]:
    """Combine the values of several model kwargs.

    Args:
        config: The config that every combination starts from.
        values: The values to try for each kwarg.

    Returns:
        (setting, config) for every combination, the last kwarg changing fastest.

    Raises:
        UsageError: A kwarg has no values.
    """
    if any(not options for options in values.values()):
        raise UsageError(
            "A sweep needs at least one value for each kwarg",
            remedy="Give each kwarg its values, such as 0, 0.5 and 1.",
            error_code="empty-sweep",
        )
    combinations = itertools.product(*values.values())
    settings = [dict(zip(values, combination, strict=True)) for combination in combinations]
    return [(setting, config.merged(model_kwargs=setting)) for setting in settings]


def parse_values(text: str) -> list[Any]:
    """The values in a comma-separated list, each as JSON if it is JSON, otherwise as text; or those of a JSON list."""
    for candidate in (text, f"[{text}]"):
        try:
            values = json.loads(candidate, parse_constant=lambda word: word)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, list):
            return values
    return [parse_value(value.strip()) for value in text.split(",") if value.strip()]


class BatchRun:
    """Requests under way in a background thread.

    Args:
        requests: The requests; the batch has their order.
        concurrency: Largest number of requests at a time.

    Raises:
        ValueError: `concurrency` is below 1.
    """

    def __init__(self, requests: Iterable[BatchRequest], *, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self._requests = list(requests)
        self._concurrency = concurrency
        self._rows = [Row(request.setting, request.config) for request in self._requests]
        self._streams: dict[int, AsyncResponseStream] = {}
        self._waiting: dict[int, str] = {}
        self._done = threading.Event()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        context = contextvars.copy_context()  # its trace, if there is one
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), name="azml-magics-side-by-side", daemon=True
        )

    def start(self) -> BatchRun:
        """Send the requests; returns itself. Keys that the user types are prompted for here, in the caller's thread."""
        check_threads("Requests side by side")
        for config in [] if recording.is_replaying() else [request.config for request in self._requests]:
            for source in config.all_key_sources:
                if source.is_prompted:
                    with contextlib.suppress(AzmlError):  # its row will have the error
                        source.resolve(config.endpoint_url)
        self._thread.start()
        return self

    @property
    def batch(self) -> Batch:
        """The rows so far: a row under way has the text that has arrived, a stopped row an Interrupted."""
        streams = dict(self._streams)  # before the rows: one that ends in between is in both, not in neither
        rows, is_stopped = list(self._rows), self._stopping.is_set()
        for index, row in enumerate(rows):
            if row.response is None and row.error is None:
                waiting = self._waiting.get(index, "")
                so_far = replace(row, response=streams[index].response) if index in streams else row
                so_far = replace(so_far, waiting=waiting) if waiting and not is_stopped else so_far
                rows[index] = _mark_stopped(so_far) if is_stopped else so_far
        return Batch(rows, is_complete=is_stopped or self._done.is_set())

    def wait(self, seconds: float) -> bool:
        """Wait until all requests are done, at most that long; returns whether they are."""
        with unmask_interrupts():
            return self._done.wait(seconds)

    def stop(self) -> None:
        """Stop the requests under way; their rows keep what has arrived. Does nothing if all are done."""
        if not self._done.is_set():
            self._stopping.set()
            if self._loop is not None and self._task is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(self._cancel, self._loop, self._task)
        if self._thread.ident is not None:
            self._thread.join(timeout=_CLOSE_TIMEOUT)

    def _cancel(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Cancel until it ends: on Python 3.10 a connection that is being opened may swallow the first one (anyio)."""
        if not task.done():
            task.cancel()
            loop.call_later(_CANCEL_AGAIN_AFTER, self._cancel, loop, task)

    def _run(self) -> None:
        try:
            asyncio.run(self._send_all())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - no event loop, or a bug of ours: no row may stay open for ever
            self._rows = [row if row.response or row.error else replace(row, error=error) for row in self._rows]
        finally:
            self._done.set()

    async def _send_all(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if not self._stopping.is_set():
            indexes = range(len(self._requests))
            await map_async(self._send, indexes, concurrency=min(self._concurrency, len(self._requests) or 1))

    async def _send(self, index: int) -> None:
        row = self._rows[index]
        try:
            with observe_waiting(lambda waiting: self._waiting.update({index: str(waiting or "")})):
                self._rows[index] = replace(row, response=await self._receive(index))
        except asyncio.CancelledError:
            arrived = self._streams[index].response if index in self._streams else None
            self._rows[index] = _mark_stopped(replace(row, response=arrived))
            raise
        except Exception as error:  # noqa: BLE001 - a failure stops no other row: it becomes its row's error
            self._rows[index] = replace(row, response=getattr(error, "response", None), error=error)
        finally:
            self._streams.pop(index, None)

    async def _receive(self, index: int) -> Response:
        request = self._requests[index]
        if request.schema is None:
            return await self._receive_text(index, request.config, request.messages)
        try:
            response = await self._receive_text(index, *request.as_sent())
        except BadRequestError as error:
            if not is_response_format_refused(error):
                raise
            response = await self._receive_text(index, *request.as_sent(by_instruction=True))
        return replace(response, parsed=request.schema.parse(response), format="json")

    async def _receive_text(self, index: int, config: LLMConfig, messages: Sequence[Message]) -> Response:
        request = self._requests[index]
        tools = request.toolset if request.repairs is None else None  # a repair is about the response's form alone
        if not request.stream:
            return await ainvoke(config, messages, tools=tools)
        async with astream(config, messages, tools=tools) as stream:
            self._streams[index] = stream
            async for _ in stream:
                pass
        return stream.response


def _mark_stopped(row: Row) -> Row:
    """The row after an interrupt: unchanged if its response is whole, otherwise with what has arrived, if anything."""
    if row.response is not None and row.response.finish_reason is not None:
        return row
    partial = (
        replace(row.response, finish_reason="interrupted")
        if row.response and (row.response.text or row.response.steps)
        else None
    )
    return replace(row, response=partial, error=Interrupted(partial))


def run_batch(
    requests: Iterable[BatchRequest],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    show: Callable[[Batch], Any] | None = None,
) -> Batch:
    """Send the requests and wait for all responses.

    Args:
        requests: The requests; the batch has their order.
        concurrency: Largest number of requests at a time.
        show: Called with the rows so far, at most 20 times a second, in this thread. An error that it raises stops
            the requests.

    Raises:
        Interrupted: After a kernel interrupt; the rows so far are in its `batch`.
        ValueError: `concurrency` is below 1.
    """
    run = BatchRun(requests, concurrency=concurrency)
    try:
        run.start()
        while not run.wait(_SHOW_INTERVAL):
            if show is not None:
                show(run.batch)
    except BaseException as error:
        run.stop()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(batch=run.batch) from None
        raise
    run.stop()
    return run.batch

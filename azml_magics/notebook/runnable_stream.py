"""The response of a LangChain object as it arrives: its astream runs in an event loop beside the notebook's."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, Interrupted, RunnableError
from azml_magics.core.interrupts import unmask_interrupts
from azml_magics.core.response import Response, Usage
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from azml_magics.display.live_text import LiveText

_POLL_INTERVAL = 0.01  # seconds between two looks for a piece, so that a kernel interrupt is handled at once
_CLOSE_TIMEOUT = 0.1  # seconds for the connections of an interrupted call to close, after each cancellation
_CANCELLATIONS = 3  # asyncio.wait_for, which providers use, may lose one before Python 3.12
_THOUGHTS = {"reasoning", "thinking"}  # types of content parts
_END = object()


@dataclass(frozen=True)
class _Failure:
    """An error that ended the response; a piece of a response may be an exception, too."""

    error: BaseException


class _Loop:
    """One event loop in its own thread, for all cells.

    Providers keep connections that belong to their loop, langchain-openai longer than the extension is loaded: so the
    loop is stopped with the extension, started again later, and never closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._executor: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> asyncio.AbstractEventLoop:
        """Start the loop if it is not running, and return it."""
        if self._thread is None:
            self._executor = ThreadPoolExecutor(thread_name_prefix="azml-magics-runnables")
            self._loop.set_default_executor(self._executor)
            self._thread = threading.Thread(target=self._run, name="azml-magics-runnables", daemon=True)
            self._thread.start()
        return self._loop

    def stop(self) -> None:
        """Cancel the running tasks and end the threads. A call that is not a coroutine cannot be ended; it goes on."""
        if self._thread is None or self._executor is None:
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        self._thread.join(timeout=2)
        self._executor.shutdown(wait=False, cancel_futures=True)
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


def _start_loop() -> asyncio.AbstractEventLoop:
    global _event_loop  # noqa: PLW0603 - one loop a process, made for the first LangChain object that is called
    _event_loop = _event_loop or _Loop()
    return _event_loop.start()


def close() -> None:
    """Cancel what the event loop runs and end its threads."""
    if _event_loop is not None:
        _event_loop.stop()


class RunnableStream:
    """The response of a LangChain object while it arrives.

    Args:
        runnable: The object; its `astream` is called.
        given: Its input.
        name: What the cell calls it, for messages and the response's `config`.
    """

    def __init__(self, runnable: Any, given: Any, name: str) -> None:
        self._runnable, self._given, self._name = runnable, given, name
        self._replaces = _is_cumulative(runnable)
        self._pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._whole: Any = None
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._ended = threading.Event()
        self._start = time.perf_counter()
        self._first: float | None = None

    def receive(self, live: LiveText | None = None) -> Response:
        """Return the whole response.

        Args:
            live: Shows the text as it arrives.

        Raises:
            RunnableError: The object raised. What had arrived is in the error's `response`.
            Interrupted: The user interrupted the kernel. What had arrived is kept likewise.
        """
        asyncio.run_coroutine_threadsafe(self._stream(), _start_loop())  # in the cell's context: callbacks hold
        try:
            while (piece := self._next()) is not _END:
                if isinstance(piece, _Failure):
                    raise self._to_error(piece.error) from piece.error
                self._add(piece, live)
        except KeyboardInterrupt:
            self._stop()
            raise Interrupted(replace(self._response(), finish_reason="interrupted")) from None
        if self._whole is None and self._replaces:  # LangChain's JSON parsers skip what they cannot read
            raise RunnableError(
                f"The parser that {self._name} ends with found nothing in the response",
                remedy="Call the chain without the parser to see it.",
            ).add_context(config=self._name)
        return self._response()

    def _stop(self) -> None:
        self._stopped = True
        for _ in range(_CANCELLATIONS):
            if self._task is not None:
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)
            with unmask_interrupts():
                if self._ended.wait(_CLOSE_TIMEOUT):
                    return

    def _next(self) -> Any:
        while self._pieces.empty():
            time.sleep(_POLL_INTERVAL)
        return self._pieces.get()

    async def _stream(self) -> None:
        self._task = asyncio.current_task()
        try:
            if not self._stopped:
                await self._stream_pieces()
        except BaseException as error:  # noqa: BLE001 - also SystemExit: the cell raises it, not this thread
            self._pieces.put(_Failure(error))
        finally:
            self._ended.set()
            self._pieces.put(_END)

    async def _stream_pieces(self) -> None:
        if _has_cache(self._runnable):  # LangChain's streams do not look into it
            self._pieces.put(await self._runnable.ainvoke(self._given))
            return
        try:
            async for piece in self._runnable.astream(self._given):
                self._pieces.put(piece)
        except NotImplementedError:  # LangChain's generators may exist for threads only
            if self._whole is not None or not self._pieces.empty():
                raise
            await asyncio.to_thread(self._stream_in_thread)

    def _stream_in_thread(self) -> None:
        for piece in self._runnable.stream(self._given):
            if self._stopped:
                return
            self._pieces.put(piece)

    def _add(self, piece: Any, live: LiveText | None) -> None:
        if piece is None:
            return
        self._first = self._first if self._first is not None else time.perf_counter() - self._start
        self._whole = piece if self._replaces or self._whole is None else _sum(self._whole, piece)
        thoughts = _reasoning_text(piece)
        self._thoughts.append(thoughts)
        if live is not None and thoughts:
            live.add_reasoning(thoughts)
        if not _is_text(piece):
            if live is not None:
                live.replace(piece_text(self._whole))
            return
        text = piece_text(piece)
        self._texts.append(text)
        if live is not None and text:
            live.add(text)

    def _response(self) -> Response:
        whole = self._whole
        is_text = whole is None or _is_text(whole)
        counted = getattr(whole, "usage_metadata", None) or {}
        details = {side: counted.get(f"{side}_token_details") or {} for side in ("input", "output")}
        metadata = getattr(whole, "response_metadata", None) or {}
        return Response(
            text="".join(self._texts) if is_text else piece_text(whole),
            parsed=None if is_text else whole,
            usage=Usage.from_wire(
                {
                    "prompt_tokens": counted.get("input_tokens"),
                    "completion_tokens": counted.get("output_tokens"),
                    "total_tokens": counted.get("total_tokens"),
                    "prompt_tokens_details": {"cached_tokens": details["input"].get("cache_read")},
                    "completion_tokens_details": {"reasoning_tokens": details["output"].get("reasoning")},
                }
            ),
            finish_reason=metadata.get("finish_reason"),
            model=str(metadata.get("model_name") or ""),
            latency=time.perf_counter() - self._start,
            time_to_first_token=self._first,
            config=self._name,
            tool_calls=tuple(_tool_call(call) for call in getattr(whole, "tool_calls", None) or ()),
            reasoning="".join(self._thoughts),
            items=tuple((getattr(whole, "additional_kwargs", None) or {}).get("items") or ()),  # of our own classes
        )

    def _to_error(self, error: BaseException) -> AzmlError:
        if isinstance(error, AzmlError):
            made = error
        else:
            said = str(error).partition("\nFor troubleshooting, visit")[0]  # LangChain adds its own link
            made = RunnableError(": ".join(filter(None, [type(error).__name__, one_line(said, 300)])))
        if made.response is None and self._whole is not None:
            made.response = self._response()
        return made.add_context(config=self._name)


def _has_cache(runnable: Any) -> bool:
    """Whether it is a model, perhaps with kwargs bound to it, that has a cache of its own."""
    return bool(getattr(getattr(runnable, "bound", runnable), "cache", None))


def _is_cumulative(runnable: Any) -> bool:
    """Whether each piece contains the ones before it, as those of LangChain's JSON parsers do."""
    last = getattr(runnable, "last", runnable)
    return callable(getattr(last, "_diff", None)) and not getattr(last, "diff", False)


def _is_text(piece: Any) -> bool:
    return isinstance(piece, str) or hasattr(piece, "content")


def _sum(whole: Any, piece: Any) -> Any:
    """What came before and the piece, added as LangChain adds them; the piece alone if they cannot be added."""
    if not isinstance(whole, str | list | dict) and not hasattr(whole, "content"):
        return piece
    try:
        joined = whole + piece
    except TypeError:
        return piece
    # in LangChain, two whole messages add up to a prompt template
    return joined if hasattr(joined, "content") or not hasattr(whole, "content") else piece


def _tool_call(call: Any) -> dict[str, Any]:
    """A tool call of LangChain in the form of OpenAI's chat API."""
    arguments = json.dumps(call.get("args"), ensure_ascii=False, default=str)
    return {"id": call.get("id"), "type": "function", "function": {"name": call.get("name"), "arguments": arguments}}


def _reasoning_text(piece: Any) -> str:
    """The thoughts in a piece of a message: those of `additional_kwargs`, or its content parts of that type."""
    extra = getattr(piece, "additional_kwargs", None)
    said = extra.get("reasoning_content") if isinstance(extra, dict) else None
    if isinstance(said, str):
        return said
    content = getattr(piece, "content", None)
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(str(part.get(str(part.get("type"))) or "") for part in parts if part.get("type") in _THOUGHTS)


def piece_text(piece: Any) -> str:
    """Return the text of a piece: a str, a message's content, a prompt's messages, or an object as JSON."""
    if isinstance(piece, str):
        return piece
    content = getattr(piece, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    if callable(getattr(piece, "to_string", None)):
        return str(piece.to_string())
    if callable(getattr(piece, "model_dump_json", None)):
        return str(piece.model_dump_json(indent=2))
    try:
        return json.dumps(piece, ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        return str(piece)

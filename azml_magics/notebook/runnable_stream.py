"""The response of a LangChain object as it arrives: its astream runs in an event loop beside the notebook's."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError, Interrupted, RunnableError
from azml_magics.core.interrupts import unmask_interrupts
from azml_magics.core.response import Response
from azml_magics.runnables import event_loop
from azml_magics.runnables.graph_run import STREAM_MODES, GraphRun
from azml_magics.runnables.outputs import error_of, is_text, message_facts, piece_text, reasoning_text
from azml_magics.runnables.recognition import find_graph

from .cell_call import show_chunk

if TYPE_CHECKING:
    from azml_magics.display.live_text import LiveText

_POLL_INTERVAL = 0.01  # seconds between two looks for a piece, so that a kernel interrupt is handled at once
_CLOSE_TIMEOUT = 0.1  # seconds for the connections of an interrupted call to close, after each cancellation
_CANCELLATIONS = 3  # asyncio.wait_for, which providers use, may lose one before Python 3.12
_END = object()


@dataclass(frozen=True)
class _Failure:
    """An error that ended the response; a piece of a response may be an exception, too."""

    error: BaseException


class RunnableStream:
    """The response of a LangChain object while it arrives.

    Args:
        runnable: The object; its `astream` is called.
        given: Its input.
        name: What the cell calls it, for messages and the response's `config`.
        config: The config of the call, such as the thread of an agent.
    """

    def __init__(self, runnable: Any, given: Any, name: str, config: dict[str, Any] | None = None) -> None:
        self._runnable, self._given, self._name, self._config = runnable, given, name, config
        self._graph = GraphRun(name) if find_graph(runnable) is not None else None
        self._options = {"stream_mode": STREAM_MODES} if self._graph is not None else {}
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
        asyncio.run_coroutine_threadsafe(
            self._stream(), event_loop.start_loop()
        )  # in the cell's context: callbacks hold
        try:
            while (piece := self._next()) is not _END:
                if isinstance(piece, _Failure):
                    raise self._to_error(piece.error) from piece.error
                self._add(piece, live)
        except KeyboardInterrupt:
            self._stop()
            raise Interrupted(replace(self._response(is_whole=False), finish_reason="interrupted")) from None
        if self._whole is None and self._replaces:  # LangChain's JSON parsers skip what they cannot read
            raise RunnableError(
                f"The parser that {self._name} ends with found nothing in the response",
                remedy="Call the chain without the parser to see it.",
            ).add_context(config=self._name)
        response = self._response()
        if live is not None and self._graph is not None and not self._graph.has_shown(response.text):
            live.add(response.text)  # a state, or what a tool returned directly
        return response

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
            self._pieces.put(await self._runnable.ainvoke(self._given, self._config))
            return
        try:
            async for piece in self._runnable.astream(self._given, self._config, **self._options):
                self._pieces.put(piece)
        except NotImplementedError:  # LangChain's generators may exist for threads only
            if self._first is not None or self._whole is not None or not self._pieces.empty():
                raise
            await asyncio.to_thread(self._stream_in_thread)

    def _stream_in_thread(self) -> None:
        for piece in self._runnable.stream(self._given, self._config, **self._options):
            if self._stopped:
                return
            self._pieces.put(piece)

    def _add(self, piece: Any, live: LiveText | None) -> None:
        if piece is None:
            return
        if self._graph is not None:
            for chunk in self._graph.read(piece):
                self._note_first()
                if live is not None:
                    show_chunk(live, chunk)
            return
        self._note_first()
        self._whole = piece if self._replaces or self._whole is None else _sum(self._whole, piece)
        thoughts = reasoning_text(piece)
        self._thoughts.append(thoughts)
        if live is not None and thoughts:
            live.add_reasoning(thoughts)
        if not is_text(piece):
            if live is not None:
                live.replace(piece_text(self._whole))
            return
        text = piece_text(piece)
        self._texts.append(text)
        if live is not None and text:
            live.add(text)

    def _note_first(self) -> None:
        if self._first is None:
            self._first = time.perf_counter() - self._start

    def _response(self, *, is_whole: bool = True) -> Response:
        if self._graph is not None:
            latency = time.perf_counter() - self._start
            facts = {"latency": latency, "time_to_first_token": self._first, "config": self._name}
            return self._graph.to_response(is_whole=is_whole, **facts)
        whole = self._whole
        has_text = whole is None or is_text(whole)
        return Response(
            text="".join(self._texts) if has_text else piece_text(whole),
            parsed=None if has_text else whole,
            latency=time.perf_counter() - self._start,
            time_to_first_token=self._first,
            config=self._name,
            reasoning="".join(self._thoughts),
            **message_facts(whole),
        )

    def _to_error(self, error: BaseException) -> AzmlError:
        made = error_of(error, self._name)
        if made.response is None and self._first is not None:
            made.response = self._response(is_whole=False)
        return made


def _has_cache(runnable: Any) -> bool:
    """Whether it is a model, perhaps with kwargs bound to it, that has a cache of its own."""
    return bool(getattr(getattr(runnable, "bound", runnable), "cache", None))


def _is_cumulative(runnable: Any) -> bool:
    """Whether each piece contains the ones before it, as those of LangChain's JSON parsers do."""
    last = getattr(runnable, "last", runnable)
    return callable(getattr(last, "_diff", None)) and not getattr(last, "diff", False)


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

"""%%azureml $object for any LangChain object - chain, chat model, LLM, of any provider - streamed through its astream.

Nothing here imports LangChain: what was given brings it along, and is told by what it can do.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.core import template
from azml_magics.core.errors import AzmlError, Interrupted, PromptError, UsageError, one_line
from azml_magics.core.response import Response, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAME = 0.05
_END = object()


class RunnableFailed(AzmlError):
    """An error that the chain or its provider raised, in one line; the original is its cause."""


def is_runnable(found: Any) -> bool:
    """Whether `found` is a LangChain Runnable, by what it can do."""
    return all(callable(getattr(found, name, None)) for name in ("invoke", "astream", "get_input_jsonschema"))


def input_of(runnable: Any, body: str, values: dict[str, Any], system: str | None) -> Any:
    """What the runnable takes: messages for a chat model, a text for an LLM, the variables for a chain's prompt.

    A chain's variables come from the notebook; the body fills the one that is found nowhere else.
    """
    wanted = _variables(runnable)
    if wanted is None:
        text = template.render(body, values)
        if not text:
            raise PromptError("There is no prompt", remedy="Write one in the cell, below the line with %%azureml.")
        return [("system", system), ("user", text)] if system else text
    if system:
        raise UsageError("-s has no place in a chain", remedy="Put the system message into its prompt template.")
    given = {name: values[name] for name in wanted if name in values}
    missing = [name for name in wanted if name not in given]
    if body:
        if len(missing) != 1:
            why = f"it lacks {', '.join(missing)}" if missing else "it lacks no variable"
            raise PromptError(
                f"The cell has a body, and the chain has no single variable for it: {why}",
                remedy="Define all but one of its variables in the notebook, or leave the body empty.",
            )
        given[missing.pop()] = template.render(body, values)
    if missing:
        raise PromptError(f"The chain needs {', '.join(missing)}", remedy="Define it, or pass --var NAME=VALUE.")
    return given


def _variables(runnable: Any) -> list[str] | None:
    """The names that a chain's first step asks for; None for one that takes a prompt as it is."""
    first = getattr(runnable, "first", runnable)
    names = getattr(first, "input_variables", None)
    if isinstance(names, list):
        return names
    if hasattr(runnable, "generate"):  # a chat model or LLM
        return None
    schema = runnable.get_input_jsonschema()
    properties = schema.get("properties") if schema.get("type") == "object" else None
    return list(properties) if properties else None


class Answer:
    """The runnable's answer as it arrives, in a thread of its own with an event loop of its own."""

    def __init__(self, runnable: Any, given: Any, name: str) -> None:
        self._runnable, self._given, self._name = runnable, given, name
        self._pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._whole: Any = None
        self._texts: list[str] = []
        self._start = time.perf_counter()
        self._first: float | None = None
        self._thread = threading.Thread(target=self._run, name="azml-magics-runnable", daemon=True)

    def read(self, show: Callable[[str], Any] | None = None) -> Response:
        """The whole answer; `show` is given each new text in this thread.

        RunnableFailed or Interrupted carry what had arrived.
        """
        self._thread.start()
        try:
            while (piece := self._next()) is not _END:
                if isinstance(piece, Exception):
                    raise self._failed(piece) from piece
                self._add(piece, show)
        except KeyboardInterrupt:
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
            raise Interrupted(replace(self._response(), finish_reason="interrupted")) from None
        finally:
            self._thread.join(timeout=2)
        return self._response()

    def _next(self) -> Any:
        """The next piece; waits in short steps, so that a kernel interrupt is not kept waiting."""
        while self._pieces.empty():
            time.sleep(_FRAME / 5)
        return self._pieces.get()

    def _run(self) -> None:
        try:
            asyncio.run(self._stream())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - a provider's error, raised again in the cell's thread
            self._pieces.put(error)
        self._pieces.put(_END)

    async def _stream(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        async for piece in self._runnable.astream(self._given):
            self._pieces.put(piece)

    def _add(self, piece: Any, show: Callable[[str], Any] | None) -> None:
        text = text_of(piece)
        if text:
            self._first = self._first if self._first is not None else time.perf_counter() - self._start
            self._texts.append(text)
            if show is not None:
                show(text)
        try:
            self._whole = piece if self._whole is None else self._whole + piece
        except TypeError:  # a parser streams whole objects, each fuller than the one before
            self._whole, self._texts = piece, [text]

    def _response(self) -> Response:
        whole = self._whole
        counted = getattr(whole, "usage_metadata", None) or {}
        metadata = getattr(whole, "response_metadata", None) or {}
        is_text = whole is None or isinstance(whole, str) or hasattr(whole, "content")
        return Response(
            text="".join(self._texts) if is_text else text_of(whole),
            parsed=None if is_text else whole,
            usage=Usage.from_wire(
                {
                    "prompt_tokens": counted.get("input_tokens"),
                    "completion_tokens": counted.get("output_tokens"),
                    "total_tokens": counted.get("total_tokens"),
                }
            ),
            finish_reason=metadata.get("finish_reason"),
            model=str(metadata.get("model_name") or ""),
            latency=time.perf_counter() - self._start,
            time_to_first_token=self._first,
            config=self._name,
        )

    def _failed(self, error: Exception) -> AzmlError:
        said = f"{type(error).__name__}: {one_line(str(error), 300)}"
        made = error if isinstance(error, AzmlError) else RunnableFailed(said)
        made.response = self._response() if self._texts else made.response
        return made.at(config=self._name)


def text_of(piece: Any) -> str:
    """The text of a piece: a str, a message's content, or an object as JSON."""
    if isinstance(piece, str):
        return piece
    content = getattr(piece, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    if callable(getattr(piece, "model_dump_json", None)):
        return str(piece.model_dump_json(indent=2))
    try:
        return json.dumps(piece, ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        return str(piece)

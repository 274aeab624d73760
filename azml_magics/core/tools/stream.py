"""ToolStream: a stream that goes on through the calls of tools to the final response, and AsyncToolStream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..response import Chunk, Response
from ..stream import AsyncResponseStream, ResponseStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence

    from ..config import LLMConfig
    from ..messages import Message
    from ..secret import Secret
    from .loop import ToolLoop

    OpenStream = Callable[[LLMConfig, Sequence[Message]], ResponseStream]
    OpenAsyncStream = Callable[[LLMConfig, Sequence[Message]], AsyncResponseStream]


class _Exchange:
    """What both streams know of their exchange: its loop, and the stream of the step that runs."""

    _loop: ToolLoop
    _current: ResponseStream | AsyncResponseStream | None

    @property
    def response(self) -> Response:
        """What has arrived: the whole exchange after the last chunk."""
        return self._loop.with_steps(self._current.response) if self._current else self._loop.response

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The keys that were sent with the step that runs."""
        return self._current.secrets if self._current else ()


class ToolStream(_Exchange, ResponseStream):
    """A ResponseStream of a call with tools: its chunks also say when a tool begins and ends.

    Args:
        config: What to call, with the tools among its kwargs.
        loop: The exchange.
        open_stream: Starts the stream of one step.
    """

    def __init__(self, config: LLMConfig, loop: ToolLoop, open_stream: OpenStream) -> None:
        # A ResponseStream sends one call; this one has a stream for each step.
        self._config, self._loop, self._open = config, loop, open_stream
        self._current: ResponseStream | None = None
        self._chunks = self._run()

    def _run(self) -> Generator[Chunk, None, None]:
        loop = self._loop
        with loop.trace() as trace:
            while loop.is_open:
                with loop.keep_steps():
                    with trace.context.run(self._open, self._config, loop.messages) as self._current:
                        yield from self._current
                    arrived, self._current = self._current, None
                    calls = loop.take(arrived.response, arrived.secrets)
                    for call in calls:
                        yield Chunk(tool_run=call)
                        yield Chunk(tool_run=loop.run(call))


class AsyncToolStream(_Exchange, AsyncResponseStream):
    """What ToolStream is, on the running event loop.

    Args:
        config: What to call, with the tools among its kwargs.
        loop: The exchange.
        open_stream: Starts the stream of one step.
    """

    def __init__(
        self,
        config: LLMConfig,
        loop: ToolLoop,
        open_stream: OpenAsyncStream,
    ) -> None:
        # A ResponseStream sends one call; this one has a stream for each step.
        self._config, self._loop, self._open = config, loop, open_stream
        self._current: AsyncResponseStream | None = None
        self._chunks = self._run()

    async def _run(self) -> AsyncGenerator[Chunk, None]:
        loop = self._loop
        with loop.trace() as trace:
            while loop.is_open:
                with loop.keep_steps():
                    async with trace.context.run(self._open, self._config, loop.messages) as self._current:
                        async for chunk in self._current:
                            yield chunk
                    arrived, self._current = self._current, None
                    calls = loop.take(arrived.response, arrived.secrets)
                    for call in calls:
                        yield Chunk(tool_run=call)
                        yield Chunk(tool_run=await loop.arun(call))

"""The pieces of a streamed response as LangChain's chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, GenerationChunk

from ..core.wire.tool_calls import ToolCallBuilder
from .outputs import additional_kwargs, generation_info, make_llm_output, response_metadata, text_info, usage_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langchain_core.messages import ToolCallChunk

    from ..core.response import Chunk, Response


class ChatChunks:
    """Converts the chunks of one stream."""

    def __init__(self) -> None:
        self._tool_calls = ToolCallChunks()

    def convert(self, chunk: Chunk) -> ChatGenerationChunk | None:
        """Return one chunk of a chat response; None if it holds only what `finish` reports."""
        if not (chunk.text or chunk.tool_calls or chunk.reasoning):
            return None
        message = AIMessageChunk(content=chunk.text, tool_call_chunks=self._tool_calls.convert(chunk.tool_calls))
        if chunk.reasoning:
            message.additional_kwargs["reasoning_content"] = chunk.reasoning
        return ChatGenerationChunk(message=message)

    def finish(self, response: Response) -> ChatGenerationChunk:
        """Return the last chunk: usage, finish reason, model, and what the next turn needs back."""
        message = AIMessageChunk(
            content="",
            additional_kwargs=additional_kwargs(response, reasoning=False),
            response_metadata=response_metadata(response),
            usage_metadata=usage_metadata(response),
        )
        return ChatGenerationChunk(message=message, generation_info=generation_info(response))


class ToolCallChunks:
    """Converts the fragments of tool calls to LangChain's chunks, which are merged by their index.

    Servers count calls from any number, or give several the same index, or none. LangChain appends ids and names, so
    that each may come once.
    """

    def __init__(self) -> None:
        self._builder = ToolCallBuilder()
        self._said: set[tuple[int, str]] = set()

    def convert(self, fragments: Iterable[dict[str, Any]]) -> list[ToolCallChunk]:
        """Return one chunk for each fragment."""
        return [self._convert(fragment) for fragment in fragments]

    def _convert(self, fragment: dict[str, Any]) -> ToolCallChunk:
        position = self._builder.add(fragment)
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        arguments = function.get("arguments")
        return {
            "type": "tool_call_chunk",
            "name": self._once(position, "name", function.get("name")),
            "args": arguments if isinstance(arguments, str) else None,
            "id": self._once(position, "id", fragment.get("id")),
            "index": position,
        }

    def _once(self, position: int, name: str, value: Any) -> str | None:
        if not isinstance(value, str) or not value or (position, name) in self._said:
            return None
        self._said.add((position, name))
        return value


def as_single_chat_chunk(generation: ChatGeneration) -> ChatGenerationChunk:
    """Return a whole response as the only chunk of a stream."""
    source = generation.message
    calls = source.tool_calls if isinstance(source, AIMessage) else []
    message = AIMessageChunk(
        content=source.content,
        additional_kwargs=source.additional_kwargs,
        response_metadata=source.response_metadata,
        tool_calls=calls,
        invalid_tool_calls=source.invalid_tool_calls if isinstance(source, AIMessage) else [],
        usage_metadata=source.usage_metadata if isinstance(source, AIMessage) else None,
        id=source.id,
        name=source.name,
    )
    return ChatGenerationChunk(message=message, generation_info=generation.generation_info)


def make_last_text_chunk(response: Response) -> GenerationChunk:
    """Return the last chunk of a streamed text: finish reason, logprobs, thoughts and usage."""
    info = text_info(response) or {}
    return GenerationChunk(text="", generation_info={**info, **make_llm_output([response])} or None)

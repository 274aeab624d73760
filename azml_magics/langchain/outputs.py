"""A response of the core as LangChain's Generation, ChatGeneration and AIMessage, with usage and finish reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk

from ..core.response import Response, Usage
from ..core.wire.openai_choices import parse_choices
from .message_conversion import to_tool_call_chunks, tool_calls_from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.response import Chunk

# Token details: the name on the wire -> LangChain's name.
_DETAILS = {"cached_tokens": "cache_read", "reasoning_tokens": "reasoning", "audio_tokens": "audio"}


def split_choices(response: Response) -> list[Response]:
    """Return one response for each choice: several if the request set `n`."""
    raw = response.raw
    choices = raw.get("choices") if isinstance(raw, dict) else None
    if not isinstance(choices, list) or len(choices) <= 1:
        return [response]
    return [parse_choices({**raw, "choices": [choice]}) for choice in choices]


def to_generation(response: Response) -> Generation:
    """Return the response of a text model; a Generation that a custom formatter returned stays as it is."""
    if isinstance(response.raw, Generation):
        return response.raw
    return Generation(text=response.text, generation_info=_generation_info(response))


def to_chat_generation(response: Response) -> ChatGeneration:
    """Return the response of a chat model; a Generation that a custom formatter returned stays as it is."""
    message = response.raw
    if isinstance(message, ChatGeneration):
        return message
    if isinstance(message, Generation):
        return ChatGeneration(message=AIMessage(content=message.text), generation_info=message.generation_info)
    return ChatGeneration(message=to_ai_message(response), generation_info=_generation_info(response))


def to_ai_message(response: Response) -> AIMessage:
    """Return the response as a message with text, tool calls and usage.

    The reasoning of a reasoning model goes into `additional_kwargs["reasoning_content"]`.
    """
    calls, invalid = tool_calls_from_wire(response.tool_calls)
    return AIMessage(
        content=response.text,
        additional_kwargs={"reasoning_content": response.reasoning} if response.reasoning else {},
        response_metadata=_response_metadata(response),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage_metadata(response),
    )


def _generation_info(response: Response) -> dict[str, Any] | None:
    if response.finish_reason is None and response.logprobs is None:
        return None
    return {"finish_reason": response.finish_reason, "logprobs": response.logprobs}


def _response_metadata(response: Response) -> dict[str, Any]:
    known = {"model_name": response.model, "deployment": response.deployment, "request_id": response.request_id}
    return {name: value for name, value in known.items() if value}


def usage_metadata(response: Response) -> UsageMetadata | None:
    """Return the token counts under LangChain's names; None if the endpoint did not count prompt and completion."""
    usage = response.usage
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens or usage.prompt_tokens + usage.completion_tokens,
    )
    if usage.details:
        prompt_details, completion_details = (_token_details(usage, side) for side in ("prompt", "completion"))
        if prompt_details:
            metadata["input_token_details"] = prompt_details  # type: ignore[typeddict-item] # its keys are _DETAILS' values
        if completion_details:
            metadata["output_token_details"] = completion_details  # type: ignore[typeddict-item] # as above
    return metadata


def _token_details(usage: Usage, side: str) -> dict[str, int]:
    counted = usage.details.get(f"{side}_tokens_details", {})
    return {ours: counted[wire] for wire, ours in _DETAILS.items() if isinstance(counted.get(wire), int)}


def make_llm_output(responses: Iterable[Response]) -> dict[str, Any]:
    """Return what LangChain keeps beside the generations: summed `token_usage` and `model_name`, if known."""
    total: dict[str, int] = {}
    model = ""
    for response in responses:
        model = model or response.model
        for name, count in (response.usage or Usage()).to_dict().items():
            total[name] = total.get(name, 0) + count
    output: dict[str, Any] = {"token_usage": total} if total else {}
    return {**output, "model_name": model} if model else output


# ---- streams -------------------------------------------------------------------------------------------------


def to_chat_chunk(chunk: Chunk) -> ChatGenerationChunk | None:
    """Return one chunk of a chat response; None if it holds only what `make_last_chat_chunk` reports."""
    if chunk.tool_calls:
        message = AIMessageChunk(content=chunk.text, tool_call_chunks=to_tool_call_chunks(chunk.tool_calls))
    elif chunk.text:
        message = AIMessageChunk(content=chunk.text)
    elif chunk.reasoning:
        message = AIMessageChunk(content="")
    else:
        return None
    if chunk.reasoning:
        message.additional_kwargs["reasoning_content"] = chunk.reasoning
    return ChatGenerationChunk(message=message)


def make_last_chat_chunk(response: Response) -> ChatGenerationChunk:
    """Return the last chunk of a streamed chat response: usage, finish reason and model."""
    message = AIMessageChunk(
        content="", response_metadata=_response_metadata(response), usage_metadata=usage_metadata(response)
    )
    return ChatGenerationChunk(message=message, generation_info=_generation_info(response))


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
    """Return the last chunk of a streamed text: finish reason, logprobs and usage."""
    info = _generation_info(response) or {}
    return GenerationChunk(text="", generation_info={**info, **make_llm_output([response])} or None)

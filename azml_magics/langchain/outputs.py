"""An answer of the core as LangChain's Generation, ChatGeneration and AIMessage, with usage and finish reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk

from ..core.response import Response, Usage
from ..core.wire import replies
from .message_conversion import call_chunks, calls_from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.response import Chunk

Answer: TypeAlias = "replies.Reply | Response"
# The wire's names for parts of the counts, and LangChain's.
_DETAILS = {"cached_tokens": "cache_read", "reasoning_tokens": "reasoning", "audio_tokens": "audio"}


def choices(response: Response) -> list[Answer]:
    """The answers in `response`: one, or as many as were asked for with n."""
    raw = response.raw
    several = raw.get("choices") if isinstance(raw, dict) else None
    if not isinstance(several, list) or len(several) <= 1:
        return [response]
    return [replies.read_value({**raw, "choices": [choice]}) for choice in several]


def text_generation(answer: Answer) -> Generation:
    """The answer of a text model. What a person's own formatter made is taken as it is."""
    if isinstance(answer.raw, Generation):
        return answer.raw
    return Generation(text=answer.text, generation_info=_info(answer))


def chat_generation(answer: Answer) -> ChatGeneration:
    """The answer of a chat model. What a person's own formatter made is taken as it is."""
    made = answer.raw
    if isinstance(made, ChatGeneration):
        return made
    if isinstance(made, Generation):
        return ChatGeneration(message=AIMessage(content=made.text), generation_info=made.generation_info)
    return ChatGeneration(message=message(answer), generation_info=_info(answer))


def message(answer: Answer) -> AIMessage:
    """The answer as a message: text, tool calls, usage; a reasoning model's thoughts in additional_kwargs."""
    calls, invalid = calls_from_wire(answer.tool_calls)
    return AIMessage(
        content=answer.text,
        additional_kwargs={"reasoning_content": answer.reasoning} if answer.reasoning else {},
        response_metadata=_metadata(answer),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage_metadata(answer),
    )


def _info(answer: Answer) -> dict[str, Any] | None:
    if answer.finish_reason is None and answer.logprobs is None:
        return None
    return {"finish_reason": answer.finish_reason, "logprobs": answer.logprobs}


def _metadata(answer: Answer) -> dict[str, Any]:
    known = {"model_name": answer.model}
    if isinstance(answer, Response):
        known |= {"deployment": answer.deployment, "request_id": answer.request_id}
    return {name: value for name, value in known.items() if value}


def usage_metadata(answer: Answer) -> UsageMetadata | None:
    """The counts under LangChain's names; None where the endpoint did not count both sides."""
    usage = answer.usage
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens or usage.prompt_tokens + usage.completion_tokens,
    )
    if usage.details:
        asked, answered = (_parts(usage, side) for side in ("prompt", "completion"))
        if asked:
            metadata["input_token_details"] = asked  # type: ignore[typeddict-item] # its keys are _DETAILS' values
        if answered:
            metadata["output_token_details"] = answered  # type: ignore[typeddict-item] # as above
    return metadata


def _parts(usage: Usage, side: str) -> dict[str, int]:
    counted = usage.details.get(f"{side}_tokens_details", {})
    return {ours: counted[wire] for wire, ours in _DETAILS.items() if isinstance(counted.get(wire), int)}


def llm_output(responses: Iterable[Response]) -> dict[str, Any]:
    """What LangChain keeps beside the generations: `token_usage`, summed, and `model_name`, each where known."""
    total: dict[str, int] = {}
    model = ""
    for response in responses:
        model = model or response.model
        for name, count in (response.usage or Usage()).to_dict().items():
            total[name] = total.get(name, 0) + count
    output: dict[str, Any] = {"token_usage": total} if total else {}
    return {**output, "model_name": model} if model else output


# ---- streams -------------------------------------------------------------------------------------------------


def chat_chunk(chunk: Chunk) -> ChatGenerationChunk | None:
    """One piece of a chat answer; None where it brings only what `last_chat_chunk` tells."""
    if chunk.tool_calls:
        made = AIMessageChunk(content=chunk.text, tool_call_chunks=call_chunks(chunk.tool_calls))
    elif chunk.text:
        made = AIMessageChunk(content=chunk.text)
    elif chunk.reasoning:
        made = AIMessageChunk(content="")
    else:
        return None
    if chunk.reasoning:
        made.additional_kwargs["reasoning_content"] = chunk.reasoning
    return ChatGenerationChunk(message=made)


def last_chat_chunk(response: Response) -> ChatGenerationChunk:
    """The end of a streamed chat answer: its usage, finish reason and model, all in one chunk."""
    made = AIMessageChunk(content="", response_metadata=_metadata(response), usage_metadata=usage_metadata(response))
    return ChatGenerationChunk(message=made, generation_info=_info(response))


def whole_chat_chunk(generation: ChatGeneration) -> ChatGenerationChunk:
    """An answer that came at once, as the one chunk of a stream."""
    told = generation.message
    calls = told.tool_calls if isinstance(told, AIMessage) else []
    made = AIMessageChunk(
        content=told.content,
        additional_kwargs=told.additional_kwargs,
        response_metadata=told.response_metadata,
        tool_calls=calls,
        invalid_tool_calls=told.invalid_tool_calls if isinstance(told, AIMessage) else [],
        usage_metadata=told.usage_metadata if isinstance(told, AIMessage) else None,
        id=told.id,
        name=told.name,
    )
    return ChatGenerationChunk(message=made, generation_info=generation.generation_info)


def last_text_chunk(response: Response) -> GenerationChunk:
    """The end of a streamed text: finish reason, logprobs and usage."""
    info = _info(response) or {}
    return GenerationChunk(text="", generation_info={**info, **llm_output([response])} or None)

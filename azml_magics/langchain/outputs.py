"""A response of the core as LangChain's Generation, ChatGeneration and AIMessage, with usage and finish reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, Generation

from ..core.response import Response, Usage
from . import items
from .message_conversion import tool_calls_from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

# Token details: the name on the wire -> LangChain's name.
_DETAILS = {
    "cached_tokens": "cache_read",
    "cache_creation_tokens": "cache_creation",
    "reasoning_tokens": "reasoning",
    "audio_tokens": "audio",
}
PROVIDER = "azureml"
"""What LangChain's `model_provider` says."""


def split_choices(response: Response) -> tuple[Response, ...]:
    """Return one response for each choice: several if the request set `n`."""
    return response.choices or (response,)


def to_generation(response: Response) -> Generation:
    """Return the response of a text model; a Generation that a custom formatter returned stays as it is."""
    if isinstance(response.raw, Generation):
        return response.raw
    return Generation(text=response.text, generation_info=text_info(response))


def to_chat_generation(response: Response) -> ChatGeneration:
    """Return the response of a chat model; a Generation that a custom formatter returned stays as it is."""
    message = response.raw
    if isinstance(message, ChatGeneration):
        return message
    if isinstance(message, Generation):
        return ChatGeneration(message=AIMessage(content=message.text), generation_info=message.generation_info)
    return ChatGeneration(message=to_ai_message(response), generation_info=generation_info(response))


def to_ai_message(response: Response) -> AIMessage:
    """Return the response as a message with text, tool calls, reasoning and usage."""
    calls, invalid = tool_calls_from_wire(response.tool_calls)
    return AIMessage(
        content=response.text,
        additional_kwargs=additional_kwargs(response),
        response_metadata=response_metadata(response),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage_metadata(response),
    )


def additional_kwargs(response: Response, *, reasoning: bool = True) -> dict[str, Any]:
    """Return a reasoning model's thoughts, from which LangChain makes a content block, and what the next turn needs."""
    kwargs: dict[str, Any] = {}
    if reasoning and response.reasoning:
        kwargs["reasoning_content"] = response.reasoning
    if response.items:
        kwargs[items.KEY] = list(response.items)
    return kwargs


def text_info(response: Response) -> dict[str, Any] | None:
    """Return what a text model's generation has beside its text: finish reason, log probabilities, and thoughts."""
    thoughts = {"reasoning_content": response.reasoning} if response.reasoning else {}
    return {**(generation_info(response) or {}), **thoughts} or None


def generation_info(response: Response) -> dict[str, Any] | None:
    """Return the finish reason and the log probabilities; None without both."""
    if response.finish_reason is None and response.logprobs is None:
        return None
    return {"finish_reason": response.finish_reason, "logprobs": response.logprobs}


def response_metadata(response: Response) -> dict[str, Any]:
    """Return where a message comes from, as far as it is known, and what the content filter says about it."""
    known = {
        "model_name": response.model,
        "deployment": response.deployment,
        "request_id": response.request_id,
        "content_filters": [asdict(verdict) for verdict in response.filters],
    }
    return {"model_provider": PROVIDER, **{name: value for name, value in known.items() if value}}


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

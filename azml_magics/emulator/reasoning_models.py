"""Reasoning models on the chat route: what they refuse, and where their thoughts go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.generated_choice import reasoning_for
from azml_magics.emulator.openai_validation import invalid_parameter

if TYPE_CHECKING:
    from azml_magics.emulator.generated_choice import GeneratedChoice
    from azml_magics.emulator.generation import GenerationRequest
    from azml_magics.emulator.models import ServedModel

_UNSUPPORTED = ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias")
_DEFAULTS = {"top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False}
_SHALLOW = ("none", "minimal")
"""Efforts at which nothing is reasoned."""


def check_chat_parameters(body: dict[str, Any], model: ServedModel, name: str) -> None:
    """Refuse what OpenAI's reasoning models refuse; other models take all of it.

    Raises:
        InvalidRequestError: A parameter is refused.
    """
    if not model.refuses_sampling:
        return
    if body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise invalid_parameter(message, "max_tokens", "unsupported_parameter")
    temperature = body.get("temperature")
    if temperature not in (None, 1):
        message = (
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported."
        )
        raise invalid_parameter(message, "temperature", "unsupported_value")
    for key in _UNSUPPORTED:
        if body.get(key) not in (None, _DEFAULTS.get(key)):
            message = f"Unsupported parameter: '{key}' is not supported with this model."
            raise invalid_parameter(message, key, "unsupported_parameter")
    if name.startswith("gpt-5.6") and body.get("tools") and body.get("reasoning_effort") not in (None, "none"):
        message = (
            f"Function tools with reasoning_effort are not supported for {name[:60]} in /v1/chat/completions. "
            "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
        )
        raise invalid_parameter(message, "reasoning_effort")


def with_thoughts(
    choices: list[GeneratedChoice],
    request: GenerationRequest,
    model: ServedModel,
    body: dict[str, Any],
    *,
    inline: bool,
) -> list[GeneratedChoice]:
    """Return the choices with what the model thinks before them.

    Args:
        choices: The choices.
        request: The prompt.
        model: The model.
        body: The request's body; its limit counts the hidden thoughts of OpenAI's models too.
        inline: Put visible thoughts into the text inside <think> tags.
    """
    if not model.reasoning or body.get("reasoning_effort") in _SHALLOW:
        return choices
    reasoning = reasoning_for(request)
    if model.reasoning == "hidden":
        limit = body.get("max_completion_tokens")
        limit = limit if isinstance(limit, int) else None
        return [choice.with_reasoning(reasoning).with_limit(limit) for choice in choices]
    return [choice.with_reasoning(reasoning, inline=inline or model.reasoning == "tags") for choice in choices]


def without_hidden(choices: list[GeneratedChoice], model: ServedModel) -> list[GeneratedChoice]:
    """Return the choices as they are sent: thoughts that a model hides are counted, and not among them."""
    return [replace(choice, reasoning="") for choice in choices] if model.reasoning == "hidden" else choices

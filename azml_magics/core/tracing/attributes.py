"""What spans say of a request and its response, without its content: the attributes of OpenTelemetry's conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..response import Response, Usage
    from .traced_call import TracedCall

# What the conventions call a number among the model kwargs, and the names that endpoints have for it.
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"),
    "frequency_penalty": ("frequency_penalty",),
    "presence_penalty": ("presence_penalty",),
    "seed": ("seed",),
}
_COUNTS = {"max_tokens", "seed"}  # integers; the others are floating-point numbers
_OF_CONVENTIONS = ("gen_ai.", "error.")
_STOPS = ("stop", "stop_sequences")
_JSON_FORMATS = {"json_object", "json_schema", "json"}


def request_attributes(call: TracedCall) -> dict[str, Any]:
    """Return what is known before the request is sent."""
    server = call.server
    found: dict[str, Any] = {
        "gen_ai.operation.name": call.operation,
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": call.model or None,
        "server.address": server.host,
        "server.port": server.port or None,
        "gen_ai.request.stream": call.call.stream or None,
        "azml_magics.config": call.call.config.name or None,
        **_numbers(call.kwargs),
        **_choices(call.kwargs),
    }
    if stops := _stops(call):
        found["gen_ai.request.stop_sequences"] = stops
    return {name: value for name, value in found.items() if value is not None}


def _numbers(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, spellings in _NUMBERS.items():
        value = next((kwargs[spelling] for spelling in spellings if spelling in kwargs), None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[f"gen_ai.request.{name}"] = value if name in _COUNTS else float(value)
    return found


def _choices(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    count, shape = kwargs.get("n"), kwargs.get("response_format")
    kind = shape.get("type") if isinstance(shape, dict) else shape
    return {
        "gen_ai.request.choice.count": count if isinstance(count, int) and count > 1 else None,
        "gen_ai.output.type": "json" if kind in _JSON_FORMATS else None,
    }


def _stops(call: TracedCall) -> list[str]:
    given = next((call.kwargs[name] for name in _STOPS if name in call.kwargs), None)
    stops = [given] if isinstance(given, str) else given if isinstance(given, list | tuple) else []
    return [redact(stop, *call.read_secrets()) for stop in stops if isinstance(stop, str)]


def response_attributes(response: Response) -> dict[str, Any]:
    """Return what is known of a response, or of the part of it that has arrived."""
    choices = response.choices or (response,)
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    return {
        "gen_ai.response.id": response.id or None,
        "gen_ai.response.model": response.model or None,
        "gen_ai.response.finish_reasons": reasons or None,
        "gen_ai.response.time_to_first_chunk": response.time_to_first_token,
        "azure.service.request.id": response.request_id or None,
        **(usage_attributes(response.usage) if response.usage else {}),
    }


def block_attributes(facts: Mapping[str, object]) -> dict[str, Any]:
    """Return what is known of a span around calls; names that are not the conventions' get this package's prefix."""
    known = {name: value for name, value in facts.items() if value not in (None, "")}
    return {name if name.startswith(_OF_CONVENTIONS) else f"azml_magics.{name}": known[name] for name in known}


def usage_attributes(usage: Usage) -> dict[str, Any]:
    """Return the token counts that the endpoint gave."""
    prompt, completion = (usage.details.get(f"{side}_tokens_details", {}) for side in ("prompt", "completion"))
    found = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "cache_read.input_tokens": prompt.get("cached_tokens"),
        "cache_creation.input_tokens": prompt.get("cache_creation_tokens"),
        "reasoning.output_tokens": completion.get("reasoning_tokens"),
        "audio.input_tokens": prompt.get("audio_tokens"),
        "audio.output_tokens": completion.get("audio_tokens"),
    }
    return {f"gen_ai.usage.{name}": count for name, count in found.items() if isinstance(count, int)}

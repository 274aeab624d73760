"""Chat on /score of the curated image since June 2026: usage, reasoning and tool calls beside the output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages, tool_calls
from azml_magics.emulator.generated_choice import GeneratedChoice, make_choices, reasoning_for
from azml_magics.emulator.generation import read_lenient_settings
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.openai_families import count_usage, stamp_response
from azml_magics.emulator.openai_validation import InvalidRequestError, read_response_schema, read_tools

if TYPE_CHECKING:
    from azml_magics.emulator.routed_request import RoutedRequest
    from azml_magics.emulator.score_bodies import ScoreBody


def fms_chat(routed: RoutedRequest, body: ScoreBody) -> HttpResponse:
    """Return the response to messages; `output` is null if there is no text, as in a tool call."""
    try:
        choice = _generate(routed.deployment.name, body)
    except InvalidRequestError as invalid:
        return invalid.response
    stamp = stamp_response(routed, {}, "chatcmpl")
    text = choice.text or None
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if choice.reasoning:
        message["reasoning"] = choice.reasoning
    if choice.calls:
        message["tool_calls"] = choice.calls
    data = {
        "output": text,
        "message": message,
        "finish_reason": choice.finish_reason,
        "usage": count_usage(chat_messages.count_prompt_tokens(body.prompts), choice.tokens),
        "model": stamp.model,
        "id": stamp.id,
        **({"reasoning_content": choice.reasoning} if choice.reasoning else {}),
        **({"tool_calls": choice.calls} if choice.calls else {}),
    }
    return HttpResponse.fastapi(data, tokens=choice.tokens)


def _generate(name: str, body: ScoreBody) -> GeneratedChoice:
    parameters = body.parameters if isinstance(body.parameters, dict) else {}
    settings = read_lenient_settings(parameters)
    # A pinned deployment starts with the second prepared reply.
    wanted = replace(chat_messages.to_generation_request(body.prompts, settings), first_variant=1)
    functions = read_tools(parameters)
    wanted = tool_calls.offer(functions, wanted)
    calls = tool_calls.choose(functions, parameters.get("tool_choice"), wanted, parallel=True)
    (choice,) = make_choices(wanted, 1, calls, read_response_schema(parameters))
    if name == "fms-reasoning":
        choice = choice.with_reasoning(reasoning_for(wanted)).with_limit(settings.max_tokens)
    return choice

"""The OpenAI-style routes: chat and text completions, whole and streamed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages, openai_events, openai_validation, tokens, tool_calls
from azml_magics.emulator.generated_choice import Choice, make_choices
from azml_magics.emulator.generation import DEFAULT_MAX_TOKENS, GenerationRequest
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.openai_families import RouteFamily, count_usage, stamp_response
from azml_magics.emulator.responder import generate_several

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.emulator.routed_request import RoutedRequest

    Handler = Callable[[RoutedRequest, RouteFamily, dict[str, Any]], HttpResponse]


def chat(routed: RoutedRequest, family: RouteFamily) -> HttpResponse:
    """Return the response to a chat completion request."""
    return _respond(routed, family, _chat)


def completion(routed: RoutedRequest, family: RouteFamily) -> HttpResponse:
    """Return the response to a text completion request."""
    return _respond(routed, family, _completion)


def _respond(routed: RoutedRequest, family: RouteFamily, handler: Handler) -> HttpResponse:
    try:
        return handler(routed, family, openai_validation.read_body(routed, family))
    except openai_validation.InvalidRequestError as invalid:
        return invalid.response


def _chat(routed: RoutedRequest, family: RouteFamily, body: dict[str, Any]) -> HttpResponse:
    messages = openai_validation.read_messages(body)
    functions = openai_validation.read_tools(body)
    schema = openai_validation.read_response_schema(body)
    stream = openai_validation.read_bool(body, "stream")
    # Tool calls and JSON are cut only by a limit in the request, not by the default one.
    limit = None if functions or schema is not None else DEFAULT_MAX_TOKENS
    request = chat_messages.to_generation_request(messages, openai_validation.read_settings(body, limit))
    parallel = body.get("parallel_tool_calls") is not False
    calls = tool_calls.choose(functions, body.get("tool_choice"), request, parallel=parallel)
    if not calls and schema is None:
        request = replace(request, settings=openai_validation.read_settings(body))
    choices = make_choices(request, openai_validation.read_choice_count(body), calls, schema)
    stamp = stamp_response(routed, body, "chatcmpl")
    if "reasoning" in (routed.deployment.name, stamp.model):
        inline = routed.query.get("api-version") == "2024-05-01-preview"
        choices = [choice.with_reasoning(inline=inline) for choice in choices]
    completion_tokens = sum(choice.tokens for choice in choices)
    reasoning_tokens = sum(choice.reasoning_tokens for choice in choices)
    usage = count_usage(chat_messages.count_prompt_tokens(messages), completion_tokens, reasoning_tokens)
    if stream:
        include_usage = openai_validation.wants_streamed_usage(body)
        events = openai_events.chat_events(choices, stamp, usage, family, include_usage=include_usage)
        return HttpResponse.stream(events, tokens=completion_tokens)
    logprobs = openai_validation.read_bool(body, "logprobs")
    data = {
        "id": stamp.id,
        "object": "chat.completion",
        "created": stamp.created,
        "model": stamp.model,
        "choices": [_chat_choice(at, choice, logprobs=logprobs) for at, choice in enumerate(choices)],
        "usage": usage,
    }
    return HttpResponse.fastapi(data, tokens=completion_tokens)


def _chat_choice(index: int, choice: Choice, *, logprobs: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "tool_calls": choice.calls or None}
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    found = {"content": [_logprob(token) for token in choice.parts]} if logprobs else None
    return {"index": index, "message": message, "finish_reason": choice.finish_reason, "logprobs": found}


def _completion(routed: RoutedRequest, family: RouteFamily, body: dict[str, Any]) -> HttpResponse:
    prompts = openai_validation.read_prompts(body)
    settings = openai_validation.read_settings(body)
    n = openai_validation.read_choice_count(body)
    echo = openai_validation.read_bool(body, "echo")
    choices = [
        _completion_choice(prompt, limited, echo=echo)
        for prompt in prompts
        for limited in generate_several(GenerationRequest(prompt, settings=settings), n)
    ]
    stamp = stamp_response(routed, body, "cmpl")
    usage = count_usage(sum(map(tokens.count, prompts)), sum(choice.tokens for choice in choices))
    if openai_validation.read_bool(body, "stream"):
        include_usage = openai_validation.wants_streamed_usage(body)
        events = openai_events.completion_events(choices, stamp, usage, family, include_usage=include_usage)
        return HttpResponse.stream(events, tokens=usage["completion_tokens"])
    logprobs = body.get("logprobs") not in (None, False)
    data = {
        "id": stamp.id,
        "object": "text_completion",
        "created": stamp.created,
        "model": stamp.model,
        "choices": [_text_choice(at, choice, logprobs=logprobs) for at, choice in enumerate(choices)],
        "usage": usage,
    }
    return HttpResponse.fastapi(data, tokens=usage["completion_tokens"])


def _completion_choice(prompt: str, limited: tokens.LimitedText, *, echo: bool) -> Choice:
    # A completion continues where the prompt ended: with a space before it, as a model's has.
    parts = [" " + limited.tokens[0], *limited.tokens[1:]] if limited.tokens else []
    return Choice([*([prompt] if echo else []), *parts], limited.finish_reason)


def _text_choice(index: int, choice: Choice, *, logprobs: bool) -> dict[str, Any]:
    found = _text_logprobs(choice) if logprobs else None
    return {"index": index, "text": choice.text, "finish_reason": choice.finish_reason, "logprobs": found}


def _probability(token: str) -> float:
    """Return a log probability between -2 and 0 that depends on the token alone and has no meaning."""
    return -round(hashlib.sha256(token.encode(errors="replace")).digest()[0] / 128, 4)


def _logprob(token: str) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": _probability(token),
        "bytes": list(token.encode(errors="replace")),
        "top_logprobs": [],
    }


def _text_logprobs(choice: Choice) -> dict[str, Any]:
    offsets = [sum(map(len, choice.parts[:at])) for at in range(len(choice.parts))]
    found = [_probability(part) for part in choice.parts]
    top = [{part: value} for part, value in zip(choice.parts, found, strict=True)]
    return {"text_offset": offsets, "token_logprobs": found, "tokens": choice.parts, "top_logprobs": top}

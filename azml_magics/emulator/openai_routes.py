"""The OpenAI-style routes: chat and text completions, whole and streamed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azml_magics.emulator import (
    chat_messages,
    openai_events,
    openai_validation,
    reasoning_models,
    tokens,
    tool_calls,
)
from azml_magics.emulator.azure_headers import azure_headers
from azml_magics.emulator.content_filters import completion_verdicts, prompt_verdicts
from azml_magics.emulator.generated_choice import GeneratedChoice, make_choices
from azml_magics.emulator.generation import DEFAULT_MAX_TOKENS, GenerationRequest
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.models import Operation, ServedModel, find_model, refuse_operation
from azml_magics.emulator.openai_families import ResponseStamp, RouteFamily, count_usage, stamp_response
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
    stamp = stamp_response(routed, body, "chatcmpl")
    model = _find_model(routed, stamp.model, "chatCompletion")
    reasoning_models.check_chat_parameters(body, model, stamp.model)
    messages = openai_validation.read_messages(body)
    stream = openai_validation.read_bool(body, "stream")
    request, choices = _make_choices(body, messages)
    inline = routed.query.get("api-version") == "2024-05-01-preview"
    choices = reasoning_models.with_thoughts(choices, request, model, body, inline=inline)
    completion_tokens = sum(choice.tokens for choice in choices)
    reasoning_tokens = sum(choice.reasoning_tokens for choice in choices)
    usage = count_usage(chat_messages.count_prompt_tokens(messages), completion_tokens, reasoning_tokens)
    choices = reasoning_models.without_hidden(choices, model)
    if stream:
        include_usage = openai_validation.wants_streamed_usage(body)
        events = openai_events.chat_events(choices, stamp, usage, family, include_usage=include_usage)
        response = HttpResponse.stream(events, tokens=completion_tokens)
    else:
        logprobs = openai_validation.read_bool(body, "logprobs")
        data = {
            "id": stamp.id,
            "object": "chat.completion",
            "created": stamp.created,
            "model": stamp.model,
            "choices": [_chat_choice(at, choice, family, logprobs=logprobs) for at, choice in enumerate(choices)],
            **_verdicts_on_prompt(family),
            "usage": usage,
        }
        response = HttpResponse.fastapi(data, tokens=completion_tokens)
    return _add_limits(response, family, stamp, usage)


def _find_model(routed: RoutedRequest, name: str, operation: Operation) -> ServedModel:
    """Return the model of that name, or of the pinned deployment.

    Raises:
        InvalidRequestError: It does not work on this route.
    """
    if routed.deployment.name in ("reasoning", "think"):
        return find_model(routed.deployment.name)
    if refused := refuse_operation(operation, name):
        raise openai_validation.InvalidRequestError(refused)
    return find_model(name)


def _make_choices(
    body: dict[str, Any], messages: list[dict[str, Any]]
) -> tuple[GenerationRequest, list[GeneratedChoice]]:
    functions = openai_validation.read_tools(body)
    schema = openai_validation.read_response_schema(body)
    # Tool calls and JSON are cut only by a limit in the request, not by the default one.
    limit = None if functions or schema is not None else DEFAULT_MAX_TOKENS
    request = chat_messages.to_generation_request(messages, openai_validation.read_settings(body, limit))
    request = tool_calls.offer(functions, request)
    parallel = body.get("parallel_tool_calls") is not False
    calls = tool_calls.choose(functions, body.get("tool_choice"), request, parallel=parallel)
    if not calls and schema is None:
        request = replace(request, settings=openai_validation.read_settings(body))
    return request, make_choices(request, openai_validation.read_choice_count(body), calls, schema)


def _verdicts_on_prompt(family: RouteFamily) -> dict[str, Any]:
    if not family.prompt_filter:
        return {}
    return {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": prompt_verdicts()}]}


def _add_limits(
    response: HttpResponse, family: RouteFamily, stamp: ResponseStamp, usage: dict[str, Any]
) -> HttpResponse:
    if family.prompt_filter:
        response.headers.update(azure_headers(stamp.model, usage["total_tokens"]))
    return response


def _chat_choice(index: int, choice: GeneratedChoice, family: RouteFamily, *, logprobs: bool) -> dict[str, Any]:
    content = None if choice.is_refusal else choice.text
    message: dict[str, Any] = {"role": "assistant", "content": content, "tool_calls": choice.calls or None}
    if choice.is_refusal or family.prompt_filter:
        message["refusal"] = choice.text if choice.is_refusal else None
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    found = {"content": [_logprob(token) for token in choice.parts]} if logprobs else None
    whole = {"index": index, "message": message, "finish_reason": choice.finish_reason, "logprobs": found}
    return {**whole, "content_filter_results": completion_verdicts()} if family.prompt_filter else whole


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


def _completion_choice(prompt: str, limited: tokens.LimitedText, *, echo: bool) -> GeneratedChoice:
    # A completion continues where the prompt ended: with a space before it, as a model's has.
    parts = [" " + limited.tokens[0], *limited.tokens[1:]] if limited.tokens else []
    return GeneratedChoice([*([prompt] if echo else []), *parts], limited.finish_reason)


def _text_choice(index: int, choice: GeneratedChoice, *, logprobs: bool) -> dict[str, Any]:
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


def _text_logprobs(choice: GeneratedChoice) -> dict[str, Any]:
    offsets = [sum(map(len, choice.parts[:at])) for at in range(len(choice.parts))]
    found = [_probability(part) for part in choice.parts]
    top = [{part: value} for part, value in zip(choice.parts, found, strict=True)]
    return {"text_offset": offsets, "token_logprobs": found, "tokens": choice.parts, "top_logprobs": top}

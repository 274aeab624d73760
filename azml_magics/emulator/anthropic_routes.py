"""The Messages route, which Claude models have in Foundry, and its token counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.emulator import chat_messages, tool_calls
from azml_magics.emulator.anthropic_output import AnthropicMessage
from azml_magics.emulator.anthropic_request import MessagesRequest, RefusedError, messages_error, read_request
from azml_magics.emulator.generated_choice import make_choices, reasoning_for
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.models import find_model
from azml_magics.emulator.openai_validation import InvalidRequestError
from azml_magics.emulator.responder import compose
from azml_magics.emulator.routed_request import NotJSONError, load_json

if TYPE_CHECKING:
    from azml_magics.emulator.generation import GenerationRequest
    from azml_magics.emulator.prompt_cache import PromptCache
    from azml_magics.emulator.recorded_requests import RecordedRequest
    from azml_magics.emulator.routed_request import RoutedRequest


def messages(routed: RoutedRequest) -> HttpResponse:
    """Return the message to a request, whole or streamed."""
    request_id = routed.request_id.replace("-", "")
    try:
        request = read_request(load_json(routed.request.body), routed.headers.get("anthropic-version", ""))
        message = _generate(request_id, request, routed.cache)
    except (RefusedError, NotJSONError) as refused:
        return messages_error(str(refused), request_id=request_id)
    except InvalidRequestError:  # a tool choice that names no tool
        return messages_error("tool_choice: Tool not found in provided tools", request_id=request_id)
    name = str(request.body["model"])
    if "messages" not in find_model(name).operations and name != routed.deployment.model:
        return messages_error(f"model: {name[:60]}", "not_found_error", request_id)
    if request.body.get("stream") is True:
        return HttpResponse.stream(message.events(), tokens=message.choice.tokens)
    return HttpResponse.fastapi(message.whole(), tokens=message.choice.tokens)


def _generate(request_id: str, request: MessagesRequest, cache: PromptCache) -> AnthropicMessage:
    wanted = chat_messages.to_generation_request(request.messages, request.settings)
    wanted = tool_calls.offer(request.functions, wanted)
    calls = tool_calls.choose(request.functions, request.tool_choice, wanted, parallel=request.takes_several_calls)
    (choice,) = make_choices(wanted, 1, calls, request.schema)
    if request.thinks:
        choice = choice.with_reasoning(reasoning_for(wanted)).with_limit(request.settings.max_tokens)
    stopped_by = None if choice.calls or request.schema is not None else _stop_sequence(wanted, choice.text)
    return AnthropicMessage(request_id, request, choice, stopped_by, cache.use(request.body))


def _stop_sequence(wanted: GenerationRequest, text: str) -> str | None:
    """Return the stop sequence that follows the text in the whole reply."""
    after = compose(wanted)[len(text) :]
    return next((mark for mark in wanted.settings.stop if mark and after.startswith(mark)), None)


def count_tokens(routed: RoutedRequest) -> HttpResponse:
    """Return how many tokens the messages of a request have."""
    try:
        body = load_json(routed.request.body)
        body = {**body, "max_tokens": body.get("max_tokens", 1)} if isinstance(body, dict) else body
        request = read_request(body, routed.headers.get("anthropic-version", ""))
    except (RefusedError, NotJSONError) as refused:
        return messages_error(str(refused), request_id=routed.request_id.replace("-", ""))
    return HttpResponse.fastapi({"input_tokens": chat_messages.count_prompt_tokens(request.messages)})


def invalid_key(request: RecordedRequest) -> HttpResponse:
    """Return the 401 for a request without the key."""
    return messages_error("invalid x-api-key", "authentication_error", request.request_id.replace("-", ""))

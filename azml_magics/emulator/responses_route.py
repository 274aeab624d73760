"""The Responses route: create, get and cancel a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.emulator import chat_messages, openai_validation, tool_calls
from azml_magics.emulator.azure_headers import azure_headers
from azml_magics.emulator.generated_choice import GeneratedChoice, make_choices, reasoning_for
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.responses_events import response_events
from azml_magics.emulator.responses_output import MadeResponse
from azml_magics.emulator.responses_request import ResponsesRequest, read_request
from azml_magics.emulator.stored_responses import StoredResponse

if TYPE_CHECKING:
    from azml_magics.emulator.openai_families import RouteFamily
    from azml_magics.emulator.routed_request import RoutedRequest

ENDS = ("completed_at", "content_filters", "prompt_cache_key", "prompt_cache_retention")
"""What only a response that has ended has."""

_POLLS = 2
"""How often a background response is seen unfinished, unless the request says otherwise."""


def create(routed: RoutedRequest, family: RouteFamily) -> HttpResponse:
    """Return the response to a request: whole, streamed, or queued in the background."""
    try:
        body = openai_validation.read_body(routed, family)
        request = read_request(body, routed.stored)
        made = MadeResponse.now(routed.request_id, request, _generate(request))
    except openai_validation.InvalidRequestError as invalid:
        return invalid.response
    if request.is_stored:
        polls = _polls_of(routed) if request.is_background else 0
        routed.stored.add(StoredResponse(made.response(), [*request.messages, made.message()], polls))
    if openai_validation.read_bool(body, "stream"):
        response = HttpResponse.stream(response_events(made), tokens=made.choice.tokens)
    elif request.is_background:
        response = HttpResponse.fastapi(made.response("queued"))
    else:
        response = HttpResponse.fastapi(made.response(), tokens=made.choice.tokens)
    response.headers.update(azure_headers(body["model"], made.usage()["total_tokens"]))
    return response


def _generate(request: ResponsesRequest) -> GeneratedChoice:
    wanted = chat_messages.to_generation_request(request.messages, request.settings)
    wanted = tool_calls.offer(request.functions, wanted)
    parallel = request.body.get("parallel_tool_calls") is not False
    calls = tool_calls.choose(request.functions, request.tool_choice, wanted, parallel=parallel)
    (choice,) = make_choices(wanted, 1, calls, request.schema)
    if request.reasons:
        thoughts = reasoning_for(wanted) if request.effort != "minimal" else ""
        choice = choice.with_reasoning(thoughts).with_limit(request.settings.max_tokens)
    return choice


def _polls_of(routed: RoutedRequest) -> int:
    given = routed.headers.get("x-emulator-polls") or routed.query.get("emulator-polls") or ""
    return int(given) if given.isascii() and given.isdigit() else _POLLS


def get(routed: RoutedRequest) -> HttpResponse:
    """Return a stored response; one in the background is complete after some polls."""
    stored = routed.stored.find(routed.item_id)
    if stored is None:
        return _not_found(routed.item_id)
    if stored.polls <= 0:
        return HttpResponse.fastapi(stored.final)
    stored.polls -= 1
    return HttpResponse.fastapi(_unfinished(stored.final, "in_progress"))


def cancel(routed: RoutedRequest) -> HttpResponse:
    """Cancel a background response; one that is complete stays as it is."""
    stored = routed.stored.find(routed.item_id)
    if stored is None:
        return _not_found(routed.item_id)
    if not stored.final["background"]:
        return openai_validation.openai_error("Cannot cancel a synchronous response.")
    if stored.polls > 0:
        stored.polls, stored.final = 0, _unfinished(stored.final, "cancelled")
    return HttpResponse.fastapi(stored.final)


def _unfinished(final: dict[str, Any], status: str) -> dict[str, Any]:
    begun = {name: value for name, value in final.items() if name not in ENDS}
    return {**begun, "status": status, "incomplete_details": None, "output": [], "usage": None}


def _not_found(response_id: str) -> HttpResponse:
    return openai_validation.openai_error(f"Response with id '{response_id[:80]}' not found.", status=404)

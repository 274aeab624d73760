"""Faults in the streams and bodies of the Responses and the Messages route, in the words of each."""

from __future__ import annotations

import pytest

import azml_magics
from azml_magics import LLMConfig, Secret
from azml_magics.emulator import Fault
from azml_magics.pytest_plugin import KEY

ROUTES = {
    "responses": ("/openai/v1/responses", {"model": "gpt-5-mini", "input": "Hello"}),
    "messages": (
        "/anthropic/v1/messages",
        {"model": "claude-sonnet-4-6", "max_tokens": 99, "messages": [{"role": "user", "content": "Hello"}]},
    ),
}


@pytest.fixture
def meet(client):
    """Send a request that meets a fault; `stream=True` for a stream."""

    def send(dialect, fault, **more):
        route, body = ROUTES[dialect]
        headers = {"anthropic-version": "2026-10-21", "x-emulator-fault": fault}
        return client.post(route, json={**body, **more}, headers=headers)

    return send


@pytest.mark.parametrize(
    ("dialect", "data"),
    [
        ("responses", {"type": "error", "code": "server_error", "param": None}),
        ("messages", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ],
)
@pytest.mark.parametrize("fault", ["error-event", "error-data"])
def test_error_event_is_the_services_own(meet, events, dialect, data, fault):
    response = meet(dialect, f"{fault};after=3", stream=True)
    found = events(response)
    assert len(found) == 4
    assert data.items() <= found[-1].items()
    assert ("event: error" in response.text) is (fault == "error-event")


@pytest.mark.parametrize(("dialect", "end"), [("responses", "response.completed"), ("messages", "message_stop")])
def test_stream_without_its_end_has_none(meet, events, dialect, end):
    assert events(meet(dialect, "slow;seconds=0", stream=True))[-1]["type"] == end
    assert events(meet(dialect, "no-done", stream=True))[-1]["type"] != end


@pytest.mark.parametrize("dialect", ROUTES)
def test_stream_without_usage_has_none(meet, dialect):
    text = meet(dialect, "no-usage", stream=True).text
    assert '"usage"' not in text
    assert "Hello" in text


def test_failed_response_says_so(meet, events):
    assert meet("responses", "failed").json()["status"] == "failed"
    last = events(meet("responses", "failed", stream=True))[-1]
    assert (last["type"], last["response"]["error"]["code"]) == ("response.failed", "server_error")
    assert meet("messages", "failed").json()["stop_reason"] == "end_turn"


def test_filtered_reply_has_its_reason(meet, events):
    assert meet("responses", "content-filter-reply").json()["incomplete_details"] == {"reason": "content_filter"}
    assert events(meet("responses", "content-filter-reply", stream=True))[-1]["type"] == "response.incomplete"
    assert meet("messages", "content-filter-reply").json()["stop_reason"] == "refusal"
    assert events(meet("messages", "content-filter-reply", stream=True))[1]["delta"]["stop_reason"] == "refusal"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ["/openai/v1/chat/completions", "/openai/v1/responses", "/v1/chat/completions"])
def test_verdicts_that_stop_nothing_are_read(endpoint, route, stream):
    config = LLMConfig(endpoint_url=endpoint.url + route, key=Secret(KEY), model="m", max_retries=0)
    endpoint.script([Fault("annotated")])
    if stream:
        with azml_magics.stream(config, "Hello") as chunks:
            list(chunks)
        response = chunks.response
    else:
        response = azml_magics.invoke(config, "Hello")
    found = {(verdict.category, verdict.source): verdict for verdict in response.filters}
    assert response.text == "Hello! How can I help you today?"
    assert found["violence", "completion"].severity == "low"
    assert "jailbreak" in {category for category, source in found if source == "prompt"}
    assert "https://example.org/x" in found["protected_material_text", "completion"].detail


@pytest.mark.parametrize(
    ("fault", "kind"), [("429;retry_after=3", "rate_limit_error"), ("500", "api_error"), ("529", "overloaded_error")]
)
def test_refusal_on_the_messages_route_is_anthropics(meet, fault, kind):
    response = meet("messages", fault)
    assert response.json()["error"]["type"] == kind
    assert response.headers.get("retry-after") == ("3" if "429" in fault else None)


def test_refusals_of_azure_have_their_codes(meet):
    assert meet("responses", "404;style=openai").json()["error"]["code"] == "DeploymentNotFound"
    assert "audience" in meet("responses", "401;style=audience").json()["error"]["message"]
    limited = meet("responses", "429;style=openai;retry_after=26")
    assert limited.json()["error"]["code"] == "RateLimitReached"
    assert limited.headers["x-ratelimit-remaining-tokens"] == "0"
    (group,) = meet("responses", "content-filter;style=responses").json()["error"]["content_filters"]
    assert (group["blocked"], group["content_filter_results"]["jailbreak"]["filtered"]) == (True, True)
    assert meet("responses", "script-failed").headers["x-ms-run-function-failed"] == "true"

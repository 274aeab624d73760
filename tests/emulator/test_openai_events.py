"""Streams: chunks, usage and endings of each family of routes."""

from __future__ import annotations

import time

import httpx
import pytest

from azml_magics.emulator import Emulator
from azml_magics.pytest_plugin import KEY

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def test_inference_api_sends_usage_with_finish_reason(client, events):
    for route in ("/chat/completions", "/models/chat/completions?api-version=2025-04-01"):
        found = events(client.post(route, json=BODY))
        assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert found[-1] == "[DONE]"
        assert found[-2]["choices"][0]["finish_reason"] == "stop"
        assert found[-2]["usage"]["completion_tokens"] == len(found) - 3
        assert not any("usage" in event for event in found[:-2])


@pytest.mark.parametrize("route", ["/v1/chat/completions", "/openai/v1/chat/completions"])
def test_openai_routes_send_usage_in_last_chunk_on_request(client, events, route):
    plain = events(client.post(route, json=BODY))
    assert not any("usage" in event for event in plain[:-1])
    asked = events(client.post(route, json={**BODY, "stream_options": {"include_usage": True}}))
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["total_tokens"] > 0
    assert asked[-3]["choices"][0]["finish_reason"] == "stop"


def test_azure_openai_begins_with_chunk_without_choices(client, events):
    first = events(client.post("/openai/deployments/x/chat/completions?api-version=1", json=BODY))[0]
    assert first["choices"] == []
    assert first["prompt_filter_results"]


def test_completions_stream_text(client, events):
    body = {"prompt": "Once upon", "stream": True, "max_tokens": 5}
    whole = client.post("/v1/completions", json={**body, "stream": False}).json()["choices"][0]["text"]
    found = events(client.post("/v1/completions", json=body))
    assert "".join(event["choices"][0]["text"] for event in found[:-1]) == whole
    assert found[-2]["choices"][0]["finish_reason"] == "length"
    asked = events(client.post("/completions", json=body))
    assert asked[-2]["usage"]["completion_tokens"] == 5


def test_choices_are_streamed_with_their_index(client, events):
    found = events(client.post("/v1/chat/completions", json={**BODY, "n": 2}))
    assert {event["choices"][0]["index"] for event in found[:-1]} == {0, 1}
    assert sum(event["choices"][0]["finish_reason"] == "stop" for event in found[:-1]) == 2


def test_reasoning_streams_before_the_text(client, events):
    found = events(client.post("/v1/chat/completions", json=BODY, headers={"azureml-model-deployment": "reasoning"}))
    kinds = [next(iter(event["choices"][0]["delta"]), "") for event in found[1:-2]]
    assert kinds == sorted(kinds, reverse=True)
    assert set(kinds) == {"reasoning_content", "content"}


def test_model_named_like_a_chunk_does_not_break_stream(client, events):
    found = events(client.post("/v1/chat/completions", json={**BODY, "model": '"content":""'}))
    assert all(event["model"] == '"content":""' for event in found[:-1])


def test_tgi_streams_without_done(client, events):
    body = {"inputs": "What is Azure?", "parameters": {"max_new_tokens": 6}}
    whole = client.post("/generate", json=body).json()["generated_text"]
    for response in (
        client.post("/generate_stream", json=body),
        client.post("/generate", json={**body, "stream": True}),
    ):
        found = events(response)
        assert len(found) == 6
        assert b"[DONE]" not in response.content
        assert response.content.startswith(b"data:{")
        assert "".join(event["token"]["text"] for event in found) == whole == found[-1]["generated_text"]
        assert found[-1]["details"]["finish_reason"] == "length"
        assert found[0]["generated_text"] is None


def test_tgi_validation_errors_match_tgi(client):
    for body in (
        {},
        {"inputs": 3},
        {"inputs": "x", "parameters": {"temperature": 0}},
        {"inputs": "x", "parameters": {"max_new_tokens": "a"}},
    ):
        response = client.post("/generate", json=body)
        assert response.status_code == 422
        assert response.json()["error"].startswith("Input validation error: ")
        assert response.json()["error_type"] == "validation"


def test_rate_spreads_chunks_over_time(endpoint):
    """The pieces come one by one, not in one block at the end: more than one read sees them."""
    headers = {"authorization": f"Bearer {KEY}", "x-emulator-rate": "200"}
    with httpx.stream("POST", f"{endpoint.url}/v1/chat/completions", json=BODY, headers=headers) as response:
        reads = list(response.iter_raw())
    assert len(reads) > 3


def test_stream_ends_when_client_disconnects():
    with Emulator(key="k", rate=2) as endpoint, httpx.Client(headers={"Authorization": "Bearer k"}) as reader:
        asked = {**BODY, "messages": [{"role": "user", "content": "Tell me about rivers and lakes and seas"}]}
        with reader.stream("POST", f"{endpoint.url}/v1/chat/completions", json=asked) as response:  # half a minute long
            next(response.iter_lines())
        limit = time.monotonic() + 15
        while endpoint._app.in_flight and time.monotonic() < limit:
            time.sleep(0.01)
        assert endpoint._app.in_flight == 0

"""Whatever JSON comes to the Responses, Messages and embeddings routes: a response or a refusal, never a 500."""

from __future__ import annotations

import json

import hypothesis
import hypothesis.strategies as st
import pytest

from azml_magics.emulator.app import App
from azml_magics.emulator.recorded_requests import RecordedRequest
from azml_magics.emulator.routed_request import RoutedRequest
from azml_magics.emulator.routes import handle, route_request
from azml_magics.emulator.stop_words import word_set

KNOWN = {
    "/openai/v1/responses": ["input", "tools", "text", "reasoning", "include", "previous_response_id", "tool_choice"],
    "/anthropic/v1/messages": ["messages", "system", "tools", "thinking", "output_config", "tool_choice", "max_tokens"],
    "/openai/v1/embeddings": ["input", "dimensions", "encoding_format"],
    "/openai/v1/chat/completions": ["messages", "tools", "response_format", "n", "stop", "reasoning_effort"],
}
MODELS = ["gpt-5-mini", "m", "claude-sonnet-4-6", "text-embedding-3-small", "o3-pro"]
NAMES = st.sampled_from(
    sorted(
        word_set(
            """type role content text name format schema input_schema source data effort id function parameters arguments call_id
    output encrypted_content signature tool_use_id budget_tokens url image_url file_data"""
        )
    )
)
WORDS = st.sampled_from(
    sorted(
        word_set(
            """user assistant system message reasoning function_call function_call_output input_text input_image input_file
    output_text text image document tool_use tool_result thinking json_schema enabled adaptive tool function auto any
    base64 gAAAA EqQB"""
        )
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5000) | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
ODD = {
    "/openai/v1/responses": [
        {"tools": 5},
        {"tools": {"name": "f"}},
        {"temperature": "hot", "model": "m"},
        {"tools": [{"type": "function", "name": "f", "parameters": [1]}], "tool_choice": "required"},
        {"input": [{"type": "function_call_output", "call_id": {}, "output": {}}]},
    ],
    "/anthropic/v1/messages": [
        {"tools": 5},
        {"stop_sequences": 5},
        {
            "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": {}}]},
                {"role": "user", "content": "x"},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": []}]}]},
    ],
    "/openai/v1/chat/completions": [{"max_completion_tokens": "5"}],
}
BLOCKS = st.lists(st.fixed_dictionaries({"type": WORDS}, optional={"text": VALUES, "id": VALUES, "content": VALUES}))
TURNS = st.lists(
    st.fixed_dictionaries({"role": WORDS, "content": BLOCKS | VALUES}, optional={"type": WORDS, "tool_calls": VALUES})
    | st.dictionaries(NAMES, VALUES | BLOCKS, max_size=5)
)
TOOLS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4) | st.just({"type": "function", "name": "f"}), max_size=2)


@pytest.mark.parametrize(("route", "more"), [(route, more) for route, bodies in ODD.items() for more in bodies])
def test_wrong_type_is_refused_or_ignored(client, route, more):
    turns = [{"role": "user", "content": "Hello"}]
    prompt = {"input": "Hello"} if route.endswith("responses") else {"messages": turns}
    limit = {"max_tokens": 50} if "anthropic" in route else {}
    model = "claude-sonnet-4-6" if "anthropic" in route else "gpt-5-mini"
    headers = {"anthropic-version": "2023-06-01"}
    assert client.post(route, json={"model": model, **prompt, **limit, **more}, headers=headers).status_code < 500


@pytest.mark.parametrize("route", KNOWN)
@hypothesis.settings(max_examples=40)
@hypothesis.given(data=st.data())
def test_odd_body_never_breaks_the_emulator(route, data):
    body = data.draw(st.dictionaries(st.sampled_from(KNOWN[route]), VALUES | TURNS | TOOLS))
    body = {"model": data.draw(st.sampled_from(MODELS)), "max_tokens": 50, "stream": data.draw(st.booleans()), **body}
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    request = RecordedRequest("POST", route, "", headers, json.dumps(body).encode(), "0" * 32)
    routed = route_request(request)
    assert isinstance(routed, RoutedRequest)
    routed.stored = App("key").stored_responses
    response = handle(routed)
    assert response.status < 500
    for _ in response.events or ():
        pass

"""The Responses and Messages wires against endpoints: fallbacks, recordings, streams that nobody asked for, limits."""

from __future__ import annotations

import json

import pytest

from azml_magics.cassettes.cassette import record, replay
from azml_magics.core import polling
from azml_magics.core.client import invoke, stream
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ContentFilterError
from azml_magics.core.secret import Secret
from azml_magics.pytest_plugin import KEY

from ..captures.examples import FOLDER
from ..server import reply, streamed

PATHS = {"responses": "/openai/v1/responses", "anthropic": "/anthropic/v1/messages"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]


def config_at(endpoint, path, model, **kwargs) -> LLMConfig:
    return LLMConfig(endpoint_url=endpoint.url + path, model=model, key=Secret(KEY), model_kwargs=kwargs, max_retries=0)


@pytest.mark.parametrize("model", ["gpt-5-mini", "azml-magics-demo"])
def test_tools_work_on_models_with_and_without_reasoning(azml_endpoint, model):
    config = config_at(azml_endpoint, PATHS["responses"], model, tools=TOOLS, tool_choice="required")
    first = invoke(config, "Weather in Lisbon?")
    (call,) = first.tool_calls
    assert call["function"]["name"] == "get_weather"
    turns = [
        {"role": "user", "content": "Weather in Lisbon?"},
        {"role": "assistant", "content": first.text, "tool_calls": [call], "items": list(first.items)},
        {"role": "tool", "tool_call_id": call["id"], "content": "19 C"},
    ]
    assert invoke(config.merged(model_kwargs={"tool_choice": "auto"}), turns).text
    kinds = [item.get("type") for item in azml_endpoint.requests[-1].json()["input"]]
    assert kinds == [None, *(["reasoning"] if model == "gpt-5-mini" else []), "function_call", "function_call_output"]


def test_thinking_goes_back_with_tool_results(azml_endpoint):
    config = config_at(
        azml_endpoint, PATHS["anthropic"], "claude-sonnet-4-6", tools=TOOLS, thinking={"type": "adaptive"}
    )
    first = invoke(config, "Weather in Lisbon?")
    (call,) = first.tool_calls
    turns = [
        {"role": "user", "content": "Weather in Lisbon?"},
        {"role": "assistant", "content": first.text, "tool_calls": [call], "items": list(first.items)},
        {"role": "tool", "tool_call_id": call["id"], "content": "19 C"},
    ]
    assert invoke(config, turns).text
    sent = azml_endpoint.requests[-1].json()["messages"][1]["content"]
    assert sent[0]["type"] == "thinking"


def test_background_response_is_recorded_and_replayed(azml_endpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(polling, "FIRST_DELAY", 0.001)
    path = PATHS["responses"] + "?emulator-polls=2"
    config = config_at(azml_endpoint, path, "o3-pro", background=True)
    with record(tmp_path / "calls.jsonl"):
        text = invoke(config, "Hello").text
    assert [request.method for request in azml_endpoint.requests] == ["POST", "GET", "GET", "GET"]
    with replay(tmp_path / "calls.jsonl"):
        assert invoke(config, "Hello").text == text
    assert len(azml_endpoint.requests) == 4


@pytest.mark.parametrize(
    ("file", "text"),
    [("responses/11-stream-reasoning-summary.sse", 2), ("anthropic/11-stream-thinking.sse", 2)],
)
def test_stream_that_was_not_asked_for_is_read(server, config_of, file, text):
    server.respond_with(reply((FOLDER / file).read_bytes(), kind="application/json"))
    response = invoke(config_of(PATHS[file.partition("/")[0]], model="m"), "Hi")
    assert response.text == "Rivers wash salts into it."
    assert response.reasoning
    assert len(response.items) == text


@pytest.mark.parametrize("name", ["responses/01-reply.json", "anthropic/01-reply.json"])
def test_whole_response_to_a_request_for_a_stream_is_read(server, config_of, name):
    server.respond_with(reply((FOLDER / name).read_bytes()))
    with stream(config_of(PATHS[name.partition("/")[0]], model="m"), "Hi") as chunks:
        assert [chunk.text for chunk in chunks] == ["Lisbon."]


CUT = {
    "content": [{"type": "text", "text": "It begins"}],
    "stop_reason": "max_tokens",
    "usage": {"output_tokens": 4096},
}


@pytest.mark.parametrize(("kwargs", "is_said"), [({}, True), ({"max_tokens": 4096}, False)])
def test_answer_cut_at_the_default_limit_says_so(server, config_of, kwargs, is_said):
    server.respond_with(reply(CUT))
    notices = invoke(config_of(PATHS["anthropic"], model="m", model_kwargs=kwargs), "Hi").notices
    said = "The answer was cut at 4096 tokens, which is the limit unless max_tokens is set."
    assert notices == ((said,) if is_said else ())


def test_reasoning_that_took_all_tokens_names_the_limit_of_the_route(server, config_of):
    server.respond_with(reply((FOLDER / "responses/07-reply-incomplete-max-tokens.json").read_bytes()))
    (notice,) = invoke(config_of(PATHS["responses"], model="m"), "Hi").notices
    assert notice == "The answer is empty: all 64 tokens went into reasoning. Raise max_output_tokens."


def test_streamed_reasoning_that_took_all_tokens_is_a_response(server, config_of):
    end = json.loads((FOLDER / "responses/07-reply-incomplete-max-tokens.json").read_bytes())
    server.respond_with(streamed({"type": "response.incomplete", "response": end}))
    with stream(config_of(PATHS["responses"], model="m"), "Hi") as chunks:
        list(chunks)
    assert (chunks.response.text, chunks.response.finish_reason) == ("", "length")
    assert len(chunks.response.notices) == 1


def test_refusal_of_claude_keeps_its_category(server, config_of):
    details = {"type": "refusal", "category": "cyber", "explanation": "No malware."}
    server.respond_with(reply({"content": [], "stop_reason": "refusal", "stop_details": details}))
    with pytest.raises(ContentFilterError) as caught:
        invoke(config_of(PATHS["anthropic"], model="m"), "Hi")
    (verdict,) = caught.value.filters
    assert (verdict.category, verdict.filtered, verdict.detail) == ("cyber", True, "No malware.")

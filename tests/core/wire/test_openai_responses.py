"""The Responses API: requests as documented, output items, events in any order, responses that are not ready."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ContentFilterError, ModelError, ResponseFormatError

from ..captures.examples import FOLDER

URL = "https://r.services.ai.azure.com/openai/v1/responses"
REASONING = {"id": "rs_0003", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA..."}
CALL = {"type": "function_call", "call_id": "call_0001", "name": "get_weather", "arguments": '{"city":"Lisbon"}'}
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"name": "get_weather", "description": "Weather of a city", "parameters": PARAMETERS, "strict": True}
TOOLS = [{"type": "function", "function": FUNCTION}]


def config(model: str = "gpt-5-mini", url: str = URL, **kwargs) -> LLMConfig:
    return LLMConfig(endpoint_url=url, model=model, key=None, model_kwargs=kwargs)


def sent(prompt, system: str | None = None, stream: bool = False, **kwargs) -> dict:
    return json.loads(prepare(config(**kwargs).merged(system=system), prompt, stream=stream).request.body)


def example(name: str) -> dict:
    """A documented request, its input as a list."""
    body = json.loads((FOLDER / "responses" / name).read_bytes())
    if isinstance(body["input"], str):
        body["input"] = [{"role": "user", "content": body["input"]}]
    return body


def decoded(value: dict):
    return wire.get("openai-responses").wires[0].decode(json.dumps(value).encode(), wire.Call(LLMConfig(), []))


def reply(*output, status: str = "completed", **fields) -> dict:
    return {"id": "resp_1", "object": "response", "status": status, "model": "m", "output": list(output), **fields}


def message(*parts: dict, **fields) -> dict:
    return {"type": "message", "role": "assistant", "content": list(parts), **fields}


def text(value: str) -> dict:
    return {"type": "output_text", "text": value, "annotations": []}


# ---- requests


DOCUMENTED = [
    (
        "01-request.json",
        "What is the capital of Portugal?",
        {"system": "You are terse.", "max_output_tokens": 400},
        {"stream": False},
    ),
    ("01-request-plain-text.json", "What is the capital of Portugal?", {}, {}),
    (
        "02-request-reasoning.json",
        "Why is the sea salty?",
        {
            "model": "gpt-5",
            "reasoning_effort": "low",
            "reasoning_summary": "auto",
            "verbosity": "low",
            "max_completion_tokens": 2000,
        },
        {},
    ),
    (
        "03-request-tools.json",
        "Weather in Lisbon?",
        {"tools": TOOLS, "tool_choice": "auto", "parallel_tool_calls": False},
        {},
    ),
    (
        "03-request-function-output.json",
        [
            {"role": "user", "content": "Weather in Lisbon?"},
            {
                "role": "assistant",
                "content": "",
                "items": [REASONING, {"id": "fc_0001", "status": "completed", **CALL}],
            },
            {"role": "tool", "tool_call_id": "call_0001", "content": '{"celsius": 19}'},
        ],
        {"tools": TOOLS},
        {"include": None},
    ),
    (
        "04-request-json-schema.json",
        "Capital of Portugal?",
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "capital",
                    "schema": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
                        "required": ["city", "country"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                },
            }
        },
        {},
    ),
    ("05-request-previous-response.json", "And of Spain?", {"previous_response_id": "resp_0001"}, {}),
    (
        "06-request-image-pdf.json",
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="},
                    },
                ],
            }
        ],
        {},
        {},
    ),
    ("08-request-background.json", "Prove it.", {"model": "o3-pro", "background": True, "store": True}, {}),
]


@pytest.mark.parametrize(("name", "prompt", "fields", "differs"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_request_is_the_documented_one(name, prompt, fields, differs):
    body, expected = sent(prompt, **fields), example(name)
    for key in differs:
        body.pop(key, None)
        expected.pop(key, None)
    if "store" not in expected and "previous_response_id" not in expected:
        assert body.pop("store") is False  # ours, unless the example says something else
    assert body == expected


def test_every_documented_request_is_compared():
    assert {path.name for path in (FOLDER / "responses").glob("*-request*.json")} == {row[0] for row in DOCUMENTED}


def test_own_name_of_the_limit_wins():
    assert sent("Hi", max_tokens=5, max_output_tokens=7)["max_output_tokens"] == 7
    assert "max_tokens" not in sent("Hi", max_tokens=5, max_output_tokens=7)


def test_flat_kwargs_join_a_nested_one():
    body = sent(
        "Hi", reasoning={"effort": "low", "summary": "auto"}, reasoning_effort="high", text={"verbosity": "low"}
    )
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["text"] == {"verbosity": "low"}


def test_unknown_kwargs_are_sent_as_written():
    assert sent("Hi", stop=["x"], seed=3, format="x")["stop"] == ["x"]
    assert sent("Hi", stop=["x"], seed=3, format="x")["format"] == "x"


def test_function_without_strict_keeps_optional_parameters():
    function = {"name": "f", "parameters": {"type": "object"}}
    assert sent("Hi", tools=[{"type": "function", "function": function}, {"type": "web_search"}])["tools"] == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False},
        {"type": "web_search"},
    ]
    flat = [{"type": "function", "name": "f"}]
    assert sent("Hi", tools=flat)["tools"] == flat


def test_named_tool_choice_is_flattened():
    body = sent("Hi", tools=TOOLS, tool_choice={"type": "function", "function": {"name": "get_weather"}})
    assert body["tool_choice"] == {"type": "function", "name": "get_weather"}


def test_store_can_be_left_out():
    assert "store" not in sent("Hi", store=None)
    assert "store" not in sent("Hi", previous_response_id="resp_1")
    assert sent("Hi", store=True)["store"] is True


def test_encrypted_reasoning_is_asked_for_with_a_fallback():
    request = prepare(config(tools=TOOLS), "Hi").request
    assert json.loads(request.body)["include"] == ["reasoning.encrypted_content"]
    assert "include" not in json.loads(request.fallback)
    assert prepare(config(), "Hi").request.fallback is None
    assert prepare(config(model="gpt-4.1-mini", tools=TOOLS), "Hi").request.fallback is None
    assert sent("Hi", tools=TOOLS, include=["x"])["include"] == ["x"]
    assert "include" not in sent("Hi", tools=TOOLS, store=True)


def test_system_text_at_the_beginning_is_the_instructions():
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "It is late."},
    ]
    body = sent(turns)
    assert body["instructions"] == "Be brief.\n\nBe kind."
    assert body["input"] == turns[2:]


def test_prompt_of_a_system_message_alone_is_the_input():
    turns = [{"role": "system", "content": "Greet."}]
    assert sent(turns)["input"] == turns


def test_tool_calls_of_the_chat_route_become_items():
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Wait.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "1"}]},
    ]
    assert sent(turns)["input"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "1"}]},
    ]


def test_items_go_back_without_what_only_the_server_knows():
    kept = [
        {"id": "rs_1", "type": "reasoning", "summary": [], "status": "completed"},
        {**REASONING, "status": "completed"},
        message(text("Hi"), id="msg_1", status="completed"),
    ]
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi", "items": kept}]
    assert sent(turns)["input"][1:] == [REASONING, message(text("Hi"))]
    assert sent(turns, store=True)["input"][1:] == kept


def test_items_of_another_wire_are_left_out():
    thinking = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}, {"type": "text", "text": "Hi"}]
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi", "items": thinking}]
    assert sent(turns)["input"][1:] == [{"role": "assistant", "content": "Hi"}]
    chat = LLMConfig(endpoint_url="https://r.services.ai.azure.com/openai/v1/chat/completions", model="m", key=None)
    body = json.loads(prepare(chat, turns).request.body)
    assert body["messages"][1] == {"role": "assistant", "content": "Hi"}


def test_stream_is_requested_without_stream_options():
    body = sent("Hi", stream=True, stream_options={"include_usage": True})
    assert body["stream"] is True
    assert "stream_options" not in body
    assert "stream" not in sent("Hi")


def test_background_response_is_not_streamed():
    assert "stream" not in sent("Hi", stream=True, background=True)


def test_bare_foundry_host_takes_responses_first():
    bare = config(url="https://r.services.ai.azure.com")
    assert prepare(bare, "Hi").request.url == URL
    assert str(wire.formatter_for(bare)) == "openai-responses"


# ---- replies


def test_refusal_is_the_text():
    response = decoded(reply(message({"type": "refusal", "refusal": "I will not."})))
    assert (response.text, response.finish_reason) == ("I will not.", "stop")


def test_messages_are_separated_and_parts_are_not():
    response = decoded(reply(message(text("A"), text("B")), {"type": "web_search_call"}, message(text("C"))))
    assert response.text == "AB\n\nC"
    assert [item["type"] for item in response.items] == ["message", "web_search_call", "message"]


def test_thoughts_of_open_models_are_reasoning():
    thoughts = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    assert decoded(reply(thoughts, message(text("Hi")))).reasoning == "Hm."


def test_filtered_response_raises_with_its_text():
    value = reply(message(text("Half")), status="incomplete", incomplete_details={"reason": "content_filter"})
    with pytest.raises(ContentFilterError) as caught:
        decoded(value)
    assert caught.value.response.text == "Half"


@pytest.mark.parametrize(
    ("status", "words"),
    [("failed", "boom"), ("cancelled", "cancelled"), ("queued", "still works"), ("in_progress", "still works")],
)
def test_status_that_is_no_response_raises(status, words):
    with pytest.raises(ModelError, match=words):
        decoded(reply(status=status, error={"message": "boom"} if status == "failed" else None))


def test_empty_output_is_a_failure():
    with pytest.raises(ModelError):
        decoded(reply())


@pytest.mark.parametrize("value", [[], {"choices": []}, {"output": "text"}, {"object": "response"}])
def test_other_shapes_are_not_read(value):
    with pytest.raises((ResponseFormatError, ModelError)):
        decoded(value)

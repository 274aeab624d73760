"""Anthropic's Messages API: requests as documented, content blocks, events in any order, refusals."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ContentFilterError, ModelError, PromptError, ResponseFormatError

from ..captures.examples import FOLDER

URL = "https://r.services.ai.azure.com/anthropic/v1/messages"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Weather of a city", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
TOOL_USE = {"type": "tool_use", "id": "toolu_0001", "name": "get_weather", "input": {"city": "Lisbon"}}
CALL = {
    "id": "toolu_0001",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Lisbon"}'},
}
RESULT = {"role": "tool", "tool_call_id": "toolu_0001", "content": "19 C"}


def config(model: str = "claude-sonnet-4-6", url: str = URL, **kwargs) -> LLMConfig:
    return LLMConfig(endpoint_url=url, model=model, key=None, model_kwargs=kwargs)


def request_of(prompt, system: str | None = None, stream: bool = False, **kwargs):
    return prepare(config(**kwargs).merged(system=system), prompt, stream=stream).request


def sent(prompt, **kwargs) -> dict:
    return json.loads(request_of(prompt, **kwargs).body)


def decoded(value):
    return wire.get("anthropic-messages").wires[0].decode(json.dumps(value).encode(), wire.Call(LLMConfig(), []))


def reply(*content, **fields) -> dict:
    return {"type": "message", "role": "assistant", "model": "m", "content": list(content), **fields}


# ---- requests


DOCUMENTED = [
    ("01-request.json", "Capital of Portugal?", {"system": "You are terse.", "max_tokens": 1024}),
    (
        "02-request-thinking.json",
        "Why is the sea salty?",
        {"max_tokens": 4096, "thinking": {"type": "adaptive"}, "reasoning_effort": "high"},
    ),
    (
        "02-request-thinking-older-models.json",
        "Why is the sea salty?",
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 2048}},
    ),
    (
        "03-request-tools.json",
        "Weather in Lisbon?",
        {"max_completion_tokens": 1024, "tools": TOOLS, "tool_choice": "auto"},
    ),
    (
        "03-request-tool-result.json",
        [
            {"role": "user", "content": "Weather in Lisbon?"},
            {"role": "assistant", "content": "I'll look.", "tool_calls": [CALL]},
            RESULT,
        ],
        {"max_tokens": 1024, "tools": TOOLS},
    ),
    (
        "04-request-image-pdf.json",
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
        {"max_tokens": 1024},
    ),
]


@pytest.mark.parametrize(("name", "prompt", "fields"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_request_is_the_documented_one(name, prompt, fields):
    assert sent(prompt, **fields) == json.loads((FOLDER / "anthropic" / name).read_bytes())


def test_every_documented_request_is_compared():
    assert {path.name for path in (FOLDER / "anthropic").glob("*-request*.json")} == {row[0] for row in DOCUMENTED}


def test_limit_has_a_default():
    assert sent("Hi")["max_tokens"] == 4096


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_kwargs_take_the_version_that_knows_them(name):
    assert request_of("Hi").headers["anthropic-version"] == "2026-10-21"
    assert request_of("Hi", **{name: 1}).headers["anthropic-version"] == "2023-06-01"


def test_kwargs_of_the_chat_route_are_translated():
    body = sent("Hi", stop="END", parallel_tool_calls=False, tool_choice="required", stream_options={}, seed=1)
    assert body["stop_sequences"] == ["END"]
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert body["seed"] == 1
    assert not {"stop", "parallel_tool_calls", "stream_options"} & body.keys()
    assert sent("Hi", parallel_tool_calls=True)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": False}
    named = sent("Hi", tool_choice={"type": "function", "function": {"name": "f"}})["tool_choice"]
    assert named == {"type": "tool", "name": "f"}


def test_schema_is_the_output_format_with_closed_objects():
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "const": {"enum": [{"type": "object", "properties": {}}]}},
        "$defs": {"A": {"type": "object", "properties": {"b": {"type": "integer"}}, "additionalProperties": True}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    output = sent("Hi", response_format=wanted, output_config={"effort": "low"})["output_config"]
    assert output["effort"] == "low"
    assert output["format"] == {"type": "json_schema", "schema": {
        **schema,
        "$defs": schema["$defs"],
        "additionalProperties": False,
    }}  # fmt: skip


def test_own_tools_are_sent_as_written():
    own = {"type": "web_search_20260209", "name": "web_search"}
    assert sent("Hi", tools=[own, {"name": "f", "input_schema": {}}])["tools"] == [
        own,
        {"name": "f", "input_schema": {}},
    ]
    assert sent("Hi", tools=[{"type": "function", "function": {"name": "f", "strict": True}}])["tools"] == [
        {"name": "f", "input_schema": {"type": "object", "properties": {}}, "strict": True}
    ]


def test_system_messages_are_joined_on_top():
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "developer", "content": "Be kind."},
    ]
    body = sent(turns)
    assert body["system"] == "Be brief.\n\nBe kind."
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    cached = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}
    assert sent([{"role": "system", "content": [cached]}, turns[1]])["system"] == [cached]


def test_called_tools_are_declared_when_none_are_offered():
    name = CALL["function"]["name"]
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": CALL["id"], "content": "20 C"},
        {"role": "user", "content": "Thank you."},
    ]
    body = sent(turns)
    assert body["tools"] == [{"name": name, "input_schema": {"type": "object", "properties": {}}}]
    assert body["tool_choice"] == {"type": "none"}
    offered = [{"name": name, "input_schema": {"type": "object"}}]
    assert sent(turns, tools=offered)["tools"] == offered
    assert "tool_choice" not in sent(turns, tools=offered)
    assert "tools" not in sent("Hi")


def test_results_of_parallel_calls_make_one_turn():
    second = {"role": "tool", "tool_call_id": "toolu_0002", "content": [{"type": "text", "text": "20 C"}]}
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        RESULT,
        second,
    ]
    *_, asked, answered = sent(turns)["messages"]
    assert asked == {"role": "assistant", "content": [TOOL_USE]}
    assert [block["tool_use_id"] for block in answered["content"]] == ["toolu_0001", "toolu_0002"]


@pytest.mark.parametrize(("arguments", "expected"), [("{oops", {"arguments": "{oops"}), ("", {}), ({"a": 1}, {"a": 1})])
def test_arguments_of_a_call_become_an_object(arguments, expected):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    assert sent(turns)["messages"][1]["content"] == [{"type": "tool_use", "id": "c", "name": "f", "input": expected}]


def test_thinking_goes_back_with_its_signature():
    kept = [{"type": "thinking", "thinking": "Hm.", "signature": "EqQB..."}, {"type": "text", "text": "Hi"}]
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi", "items": kept}]
    assert sent(turns)["messages"][1] == {"role": "assistant", "content": kept}
    unsigned = {"type": "thinking", "thinking": "Hm", "signature": ""}
    turns[1]["items"] = [unsigned, *kept, {"type": "text", "text": ""}]
    assert sent(turns)["messages"][1] == {"role": "assistant", "content": kept}
    turns[1]["items"] = [unsigned]
    assert sent(turns)["messages"][1] == {"role": "assistant", "content": "Hi"}
    other = [{"type": "message", "role": "assistant", "content": []}]
    turns[1]["items"] = other
    assert sent(turns)["messages"][1] == {"role": "assistant", "content": "Hi"}


def test_files_become_documents():
    def block(**file):
        return sent([{"role": "user", "content": [{"type": "file", "file": file}]}])["messages"][0]["content"][0]

    assert block(filename="a.pdf", file_data="https://h/a.pdf") == {
        "type": "document",
        "source": {"type": "url", "url": "https://h/a.pdf"},
        "title": "a.pdf",
    }
    assert block(file_id="f1")["source"] == {"type": "file", "file_id": "f1"}
    assert block(file_data="data:text/plain,Hi")["source"] == {"type": "text", "media_type": "text/plain", "data": "Hi"}


def test_audio_is_refused():
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    with pytest.raises(PromptError, match="audio"):
        sent([{"role": "user", "content": [part]}])


def test_bare_foundry_host_gets_the_route_of_claude():
    bare = LLMConfig(
        endpoint_url="https://r.services.ai.azure.com", formatter="anthropic-messages", model="c", key=None
    )
    assert prepare(bare, "Hi").request.url == URL


# ---- replies


def test_texts_are_joined_and_thoughts_are_separated():
    response = decoded(
        reply(
            {"type": "thinking", "thinking": "A", "signature": "x"},
            {"type": "redacted_thinking", "data": "…"},
            {"type": "thinking", "thinking": "B", "signature": "y"},
            {"type": "text", "text": "1"},
            {"type": "text", "text": "2"},
            stop_reason="end_turn",
        )
    )
    assert (response.text, response.reasoning) == ("12", "A\n\nB")
    assert len(response.items) == 5


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause_turn"),
    ],
)
def test_stop_reason_has_the_name_of_the_chat_route(reason, finish):
    assert decoded(reply({"type": "text", "text": "Hi"}, stop_reason=reason)).finish_reason == finish


def test_prompt_counts_include_the_cache():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 20,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 40},
    }
    found = decoded(reply({"type": "text", "text": "Hi"}, stop_reason="end_turn", usage=usage)).usage
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (330, 50, 380)
    assert found.details == {
        "prompt_tokens_details": {"cached_tokens": 300, "cache_creation_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }


def test_refusal_is_the_content_filter():
    details = {"type": "refusal", "category": "cyber", "explanation": "No malware."}
    with pytest.raises(ContentFilterError, match=r"cyber: No malware\.") as caught:
        decoded(reply({"type": "text", "text": "Well"}, stop_reason="refusal", stop_details=details))
    assert caught.value.response.text == "Well"


@pytest.mark.parametrize("value", [[], {"choices": []}, {"content": "text"}, {"type": "message"}, reply()])
def test_other_shapes_and_empty_messages_are_not_read(value):
    with pytest.raises((ResponseFormatError, ModelError)):
        decoded(value)

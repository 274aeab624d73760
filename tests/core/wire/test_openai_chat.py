"""Chat on OpenAI routes."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig

DEDICATED = "https://chat.westeurope.inference.ml.azure.com/score"
HUB = "https://chat.eastus2.models.ai.azure.com"
TURNS = [
    {"role": "user", "content": "Paris?"},
    {"role": "assistant", "content": "A city."},
    {"role": "user", "content": "More."},
]

BODIES = [
    (
        "Azure AI Model Inference API, chat completions",
        "openai-chat",
        HUB + "/chat/completions",
        {"temperature": 0, "max_tokens": 9},
        b'{"messages":[{"role":"user","content":"Hi"}],"temperature":0,"max_tokens":9}',
    ),
    (
        "vLLM and NIM on managed endpoints",
        "openai-chat",
        "https://n.eastus.inference.ml.azure.com/v1/chat/completions",
        {},
        b'{"messages":[{"role":"user","content":"Hi"}]}',
    ),
]


def config(formatter: str = "openai-chat", url: str = HUB + "/chat/completions", **fields) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter=formatter, key=None, **fields)


def sent(a_config: LLMConfig, prompt) -> dict:
    return json.loads(prepare(a_config, prompt).request.body)


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    assert prepare(config(name, url, model_kwargs=kwargs), "Hi").request.body == expected


def test_foundry_body_names_the_model():
    foundry = config(url="https://r.services.ai.azure.com/models", model="mistral-large", model_kwargs={"top_p": 1})
    assert prepare(foundry, "Hi").request.body == (
        b'{"messages":[{"role":"user","content":"Hi"}],"top_p":1,"model":"mistral-large"}'
    )


def test_system_message_comes_first_unless_prompt_has_one():
    assert sent(config(system="Be brief."), TURNS)["messages"] == [{"role": "system", "content": "Be brief."}, *TURNS]
    own = [{"role": "system", "content": "Be long."}, *TURNS]
    assert sent(config(system="Be brief."), own)["messages"] == own


def test_images_and_tool_calls_are_sent_unchanged():
    turns = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
        },
        {"role": "tool", "content": "{}", "tool_call_id": "c"},
    ]
    assert sent(config(), turns)["messages"] == turns
    assert sent(config(url=DEDICATED), turns)["input_data"]["input_string"] == turns


def test_messages_of_caller_are_not_changed():
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    before = json.dumps(turns)
    sent(config("mistral-chat"), turns)
    assert json.dumps(turns) == before


@pytest.mark.parametrize(("url", "streams"), [(HUB, True), (HUB + "/v1/chat/completions", True), (DEDICATED, False)])
def test_openai_routes_stream_and_score_does_not(url, streams):
    for_url = config(url=url)
    assert wire.wire_for(for_url).streams(for_url) is streams
    request = prepare(for_url, "Hi", stream=True).request
    assert request.stream is streams
    assert (b'"stream":true' in request.body) is streams

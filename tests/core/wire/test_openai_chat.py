"""The bytes that the chat dialects send, and Mistral's rules for roles."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError

DEDICATED = "https://chat.westeurope.inference.ml.azure.com/score"
HUB = "https://chat.eastus2.models.ai.azure.com"
TURNS = [
    {"role": "user", "content": "Paris?"},
    {"role": "assistant", "content": "A city."},
    {"role": "user", "content": "More."},
]

BODIES = [
    (
        "curated foundation-model image, chat on /score; LangChain's CustomOpenAIChatContentFormatter",
        "openai-chat",
        DEDICATED,
        {"max_new_tokens": 200},
        b'{"input_data":{"input_string":[{"role":"user","content":"Hi"}],"parameters":{"max_new_tokens":200}}}',
    ),
    (
        "LangChain's LlamaChatContentFormatter, its older name",
        "llama-chat",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":[{"role":"user","content":"Hi"}],"parameters":{}}}',
    ),
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
    (
        "LangChain's MistralChatContentFormatter",
        "mistral-chat",
        HUB + "/v1/chat/completions",
        {},
        b'{"messages":[{"role":"user","content":"Hi"}]}',
    ),
    (
        "Mistral-Instruct on the curated image",
        "mistral-chat",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":[{"role":"user","content":"Hi"}],"parameters":{}}}',
    ),
]


def config(formatter: str = "openai-chat", url: str = HUB + "/chat/completions", **fields) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter=formatter, key=None, **fields)


def sent(a_config: LLMConfig, prompt) -> dict:
    return json.loads(prepare(a_config, prompt).request.body)


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_the_body_is_the_documented_one(source, name, url, kwargs, expected):
    assert prepare(config(name, url, model_kwargs=kwargs), "Hi").request.body == expected


def test_foundry_gets_the_model_in_the_body_after_the_kwargs():
    foundry = config(url="https://r.services.ai.azure.com/models", model="mistral-large", model_kwargs={"top_p": 1})
    assert prepare(foundry, "Hi").request.body == (
        b'{"messages":[{"role":"user","content":"Hi"}],"top_p":1,"model":"mistral-large"}'
    )


def test_the_system_message_comes_first_and_only_where_the_prompt_has_none():
    assert sent(config(system="Be brief."), TURNS)["messages"] == [{"role": "system", "content": "Be brief."}, *TURNS]
    own = [{"role": "system", "content": "Be long."}, *TURNS]
    assert sent(config(system="Be brief."), own)["messages"] == own


def test_image_tools_and_other_parts_travel_untouched():
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


def test_the_callers_messages_stay_as_they_are():
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    before = json.dumps(turns)
    sent(config("mistral-chat"), turns)
    assert json.dumps(turns) == before


# ---- Mistral


def mistral(*turns) -> list[dict]:
    return sent(config("mistral-chat"), list(turns))["messages"]


def test_mistral_gets_the_system_text_in_the_first_user_message():
    assert mistral({"role": "system", "content": "S"}, *TURNS) == [
        {"role": "user", "content": "S\n\nParis?"},
        *TURNS[1:],
    ]


def test_mistral_gets_a_lone_system_message_as_the_users():
    assert mistral({"role": "system", "content": "S"}) == [{"role": "user", "content": "S"}]


def test_mistral_gets_neighbours_of_one_role_as_one_message():
    assert mistral({"role": "user", "content": "a"}, {"role": "user", "content": "b"}) == [
        {"role": "user", "content": "a\n\nb"}
    ]
    assert mistral(
        {"role": "user", "content": "a"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]},
    ) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]}
    ]


def test_mistral_keeps_tool_turns_apart():
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "x", "tool_call_id": "1"},
        {"role": "tool", "content": "y", "tool_call_id": "2"},
    ]
    assert mistral(*turns) == turns


def test_mistral_starts_with_the_user_even_where_the_assistant_spoke_first():
    assert mistral({"role": "system", "content": "S"}, {"role": "assistant", "content": "Hello"})[0] == {
        "role": "user",
        "content": "S",
    }


# ---- which dialect


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (HUB, "openai-chat"),
        (HUB + "/chat/completions", "openai-chat"),
        (HUB + "/completions", "openai"),
        ("https://r.services.ai.azure.com", "openai-chat"),
        ("https://r.openai.azure.com/openai/deployments/d", "openai-chat"),
        ("https://n.eastus.inference.ml.azure.com/v1", "openai-chat"),
        ("https://n.eastus.inference.ml.azure.com/generate", "tgi"),
        ("https://n.eastus.inference.ml.azure.com/generate_stream", "tgi"),
    ],
)
def test_the_route_chooses_where_it_leaves_nothing_open(url, name):
    assert wire.formatter_for(LLMConfig(endpoint_url=url)).name == name


@pytest.mark.parametrize("url", [DEDICATED, "https://n.eastus.inference.ml.azure.com", "https://k8s.example.com/x"])
def test_score_leaves_it_open_and_nothing_is_guessed(url):
    with pytest.raises(ConfigError, match="/score speaks a different dialect on every deployment") as caught:
        wire.formatter_for(LLMConfig(endpoint_url=url))
    assert "-f: openai, openai-chat" in str(caught.value)


@pytest.mark.parametrize(("url", "streams"), [(HUB, True), (HUB + "/v1/chat/completions", True), (DEDICATED, False)])
def test_score_does_not_stream_and_the_openai_routes_do(url, streams):
    for_url = config(url=url)
    assert wire.wire_for(for_url).streams(for_url) is streams
    request = prepare(for_url, "Hi", stream=True).request
    assert request.stream is streams
    assert (b'"stream":true' in request.body) is streams

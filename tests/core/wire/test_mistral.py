"""Chat without a system role, on OpenAI routes and on /score."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.wire.mistral import alternate_roles

DEDICATED = "https://chat.westeurope.inference.ml.azure.com/score"
HUB = "https://chat.eastus2.models.ai.azure.com"
TURNS = [
    {"role": "user", "content": "Paris?"},
    {"role": "assistant", "content": "A city."},
    {"role": "user", "content": "More."},
]

# (source, formatter, url, model kwargs, exact body) of the prompt "Hi"
BODIES = [
    (
        "Mistral-Instruct on the curated image",
        "mistral-chat",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":[{"role":"user","content":"Hi"}],"parameters":{}}}',
    ),
    (
        "LangChain's MistralChatContentFormatter",
        "mistral-chat",
        HUB + "/v1/chat/completions",
        {},
        b'{"messages":[{"role":"user","content":"Hi"}]}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Hi").request.body == expected


def mistral(*turns) -> list[dict]:
    return alternate_roles(turns)


def test_system_text_joins_first_user_message():
    assert mistral({"role": "system", "content": "S"}, *TURNS) == [
        {"role": "user", "content": "S\n\nParis?"},
        *TURNS[1:],
    ]


def test_system_message_alone_becomes_user_message():
    assert mistral({"role": "system", "content": "S"}) == [{"role": "user", "content": "S"}]


def test_consecutive_messages_of_one_role_are_joined():
    assert mistral({"role": "user", "content": "a"}, {"role": "user", "content": "b"}) == [
        {"role": "user", "content": "a\n\nb"}
    ]
    assert mistral(
        {"role": "user", "content": "a"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]},
    ) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]}
    ]


def test_tool_messages_are_not_joined():
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "x", "tool_call_id": "1"},
        {"role": "tool", "content": "y", "tool_call_id": "2"},
    ]
    assert mistral(*turns) == turns


def test_conversation_starts_with_user():
    assert mistral({"role": "system", "content": "S"}, {"role": "assistant", "content": "Hello"})[0] == {
        "role": "user",
        "content": "S",
    }

"""The chat formatters: bytes that go out, messages that come back."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from azml_magics.langchain import (
    AzureMLEndpointApiType,
    CustomOpenAIChatContentFormatter,
    MistralChatContentFormatter,
)

DEDICATED, SERVERLESS = AzureMLEndpointApiType.dedicated, AzureMLEndpointApiType.serverless
TURNS = [SystemMessage("Be brief."), HumanMessage('Say "hi"\nplease')]
WIRE = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": 'Say "hi"\nplease'}]


def test_dedicated_chat_is_input_data():
    body = CustomOpenAIChatContentFormatter().format_messages_request_payload(TURNS, {"top_p": 1}, DEDICATED)
    assert json.loads(body) == {"input_data": {"input_string": WIRE, "parameters": {"top_p": 1}}}


def test_serverless_chat_has_openai_form():
    body = CustomOpenAIChatContentFormatter().format_messages_request_payload(TURNS, {"top_p": 1}, SERVERLESS)
    assert json.loads(body) == {"messages": WIRE, "top_p": 1}


def test_prompt_becomes_one_user_message():
    body = CustomOpenAIChatContentFormatter().format_request_payload("Hi", {}, SERVERLESS)
    assert json.loads(body) == {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize("api_type", [DEDICATED, AzureMLEndpointApiType.realtime, SERVERLESS])
def test_mistral_system_text_joins_first_user_message(api_type):
    body = json.loads(MistralChatContentFormatter().format_messages_request_payload(TURNS, {}, api_type))
    messages = body["messages"] if api_type is SERVERLESS else body["input_data"]["input_string"]
    assert messages == [{"role": "user", "content": 'Be brief.\n\nSay "hi"\nplease'}]


def test_mistral_accepts_system_message_alone():
    body = MistralChatContentFormatter().format_messages_request_payload([SystemMessage("Be brief.")], {}, SERVERLESS)
    assert json.loads(body)["messages"] == [{"role": "user", "content": "Be brief."}]


def test_dedicated_response_becomes_a_message():
    made = CustomOpenAIChatContentFormatter().format_response_payload(b'{"output": " Hello"}', DEDICATED)
    assert (type(made.message), made.message.content) == (AIMessage, " Hello")
    assert made.generation_info is None


def test_serverless_response_has_tool_calls_and_usage():
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    reply = {
        "model": "m",
        "choices": [
            {"message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    made = CustomOpenAIChatContentFormatter().format_response_payload(json.dumps(reply).encode(), SERVERLESS)
    assert made.message.content == ""
    assert made.message.tool_calls == [{"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}]
    assert made.message.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert made.generation_info == {"finish_reason": "tool_calls", "logprobs": None}


def test_message_converter_of_the_original_exists():
    assert CustomOpenAIChatContentFormatter._convert_message_to_dict(TURNS[1]) == WIRE[1]
    assert "user" in CustomOpenAIChatContentFormatter.SUPPORTED_ROLES

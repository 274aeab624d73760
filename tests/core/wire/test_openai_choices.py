"""OpenAI's list of choices: whole responses and events, in chat and completions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.response import Chunk, Usage
from azml_magics.core.wire.openai_chat import OpenAIChatWire
from azml_magics.core.wire.openai_choices import parse_choices
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors
from .json_strategies import CHAT_CHOICES, CHOICES, JSON


def read_event(value: object, kind: str = "message") -> Chunk | None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return OpenAIChatWire().read_event(Event(kind, data))


@pytest.mark.parametrize("value", [None, ["t"], "t", {}, {"output": "t"}, {"choices": None}, {"choices": {}}])
def test_other_shapes_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match="no text"):
        parse_choices(value)


def test_chat_choice_is_read_with_all_it_has():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    response = parse_choices(
        {
            "model": "phi",
            "choices": [
                {
                    "message": {"content": None, "tool_calls": [call], "reasoning_content": "hm"},
                    "finish_reason": "tool_calls",
                    "logprobs": {"content": []},
                }
            ],
            "usage": {"prompt_tokens": 19, "total_tokens": 91, "completion_tokens": 72},
        }
    )
    assert response.text == ""
    assert response.tool_calls == (call,)
    assert (response.reasoning, response.model, response.finish_reason) == ("hm", "phi", "tool_calls")
    assert response.usage == Usage(19, 72, 91)
    assert response.logprobs == {"content": []}


def test_tool_call_arguments_as_object_become_text():
    call = {"id": "c1", "function": {"name": "f", "arguments": {"city": "Oslo"}}}
    response = parse_choices({"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    assert json.loads(response.tool_calls[0]["function"]["arguments"]) == {"city": "Oslo"}


def test_reasoning_of_vllm_is_read():
    assert parse_choices({"choices": [{"message": {"content": "t", "reasoning": "hm"}}]}).reasoning == "hm"


def test_chat_events():
    first = {"id": "1", "model": "m", "choices": [{"delta": {"role": "assistant", "content": ""}}]}
    assert read_event(first) == Chunk(model="m")
    assert read_event({"choices": [{"delta": {"content": "There"}, "finish_reason": None}]}) == Chunk("There")
    assert read_event({"choices": [{"delta": {"content": None}, "finish_reason": "stop"}]}) == Chunk(
        finish_reason="stop"
    )
    assert read_event({"choices": [{"delta": {"reasoning_content": "hm"}}]}) == Chunk(reasoning="hm")
    assert read_event({"choices": [{"delta": {"reasoning": "hm"}}]}) == Chunk(reasoning="hm")


def test_completion_events():
    assert read_event({"choices": [{"text": " with", "index": 0, "finish_reason": None}]}) == Chunk(" with")
    assert read_event({"choices": [{"text": "", "finish_reason": "length"}]}) == Chunk(finish_reason="length")


@pytest.mark.parametrize(
    "value",
    [
        {
            "choices": [{"delta": {"content": ""}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        },
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    ],
    ids=["beside the finish reason (Inference API)", "in a last chunk without choices (OpenAI)"],
)
def test_usage_is_read_from_any_event(value):
    chunk = read_event(value)
    assert chunk is not None
    assert chunk.usage == Usage(1, 2, 3)


@pytest.mark.parametrize(
    "value",
    [
        b"[DONE]",
        {"choices": [], "prompt_filter_results": [{}], "id": "", "model": ""},
        {"id": "x", "object": "chat.completion.chunk"},
    ],
)
def test_events_without_text_give_none(value):
    assert read_event(value) is None


def test_tool_call_fragments():
    fragment = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a'}}
    chunk = read_event({"choices": [{"delta": {"tool_calls": [fragment]}}]})
    assert chunk is not None
    assert chunk.tool_calls == (fragment,)


def test_event_of_unknown_shape_is_a_response_format_error():
    with pytest.raises(ResponseFormatError, match="has no text"):
        read_event({"a": 1, "b": 2})


@given(JSON | CHOICES | CHAT_CHOICES, st.sampled_from(["message", "error", "x"]))
def test_any_event_gives_chunk_or_own_error(value, kind):
    chunk = None
    with only_our_errors():
        chunk = read_event(value, kind)
    if chunk is not None:
        assert isinstance(chunk.text, str)
        assert isinstance(chunk.reasoning, str)
        assert isinstance(chunk.model, str)
        assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
        assert all(isinstance(call, dict) for call in chunk.tool_calls)

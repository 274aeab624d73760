"""Messages in the conventions' form, whatever stands in them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.response import Response
from azml_magics.core.tracing.content import input_messages, output_messages, to_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["text", "image_url", "input_audio", "file", "input_image", "other"])
PARTS = st.builds(lambda kind, inner: {"type": kind, kind: inner}, KINDS, JSON) | JSON
CALLS = st.builds(lambda function: {"id": "c", "function": function}, JSON) | JSON


@given(
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=st.lists(PARTS) | JSON,
    calls=st.lists(CALLS) | JSON,
)
def test_any_message_becomes_parts_with_a_type(role, content, calls):
    (message,) = input_messages([{"role": role, "content": content, "tool_calls": calls}])
    assert message["role"] == role
    assert all(isinstance(part["type"], str) for part in message["parts"])
    assert json.loads(to_json(message)) == message


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://host/cat.png?sig=abc"}},
            {"type": "uri", "modality": "image", "uri": "https://host/cat.png"},
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "file", "modality": "document", "file_id": "file-1"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": None, "content": "", "characters": 4},
        ),
        ({"type": "custom", "value": 1}, {"type": "custom"}),
    ],
)
def test_media_are_named_without_their_bytes(part, expected):
    assert input_messages([{"role": "user", "content": [part]}])[0]["parts"] == [expected]


def test_every_choice_is_a_message_with_its_reasoning():
    choices = (Response("a", reasoning="hm", finish_reason="stop"), Response("b", finish_reason="length"))
    assert output_messages(Response("a", choices=choices)) == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "a"}],
            "finish_reason": "stop",
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "b"}], "finish_reason": "length"},
    ]

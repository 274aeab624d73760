"""What stands in one choice of an OpenAI route."""

from __future__ import annotations

import pytest
from hypothesis import given

from azml_magics.core.wire.openai_content import Content, extract_reasoning, extract_text, read_completion, read_message

from .json_strategies import JSON


@pytest.mark.parametrize(
    ("choice", "content"),
    [
        ({"message": {"content": "t"}}, Content("t")),
        ({"delta": {"content": "t"}}, Content("t")),
        ({"delta": {}}, Content("")),
        ({"message": None}, Content("")),
        ({"message": {"content": "t", "reasoning": "hm"}}, Content("t", "hm")),
        ({"text": "t"}, None),
        ({}, None),
    ],
)
def test_places_of_a_chat_choice(choice, content):
    assert read_message(choice) == content


@pytest.mark.parametrize(
    ("choice", "content"), [({"text": "t"}, Content("t")), ({"text": None}, Content("")), ({"message": {}}, None)]
)
def test_places_of_a_completion_choice(choice, content):
    assert read_completion(choice) == content


def test_thoughts_among_content_parts_are_no_text():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, "a", {"type": "text", "text": "b"}]
    assert extract_text(parts) == "ab"
    assert extract_reasoning({"reasoning_content": None, "reasoning": "hm"}) == "hm"


@given(JSON)
def test_anything_gives_texts_or_nothing(value):
    for read in (read_message, read_completion):
        content = read(value if isinstance(value, dict) else {"message": value, "text": value})
        assert content is None or all(isinstance(text, str) for text in content[:2])

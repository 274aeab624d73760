"""Prompts as messages, and messages as text."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import PromptError
from azml_magics.core.messages import as_messages, flatten, preview_text, text_of

TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": " now?"}]},
]


def test_text_becomes_one_user_message():
    assert as_messages("Hi", None) == [{"role": "user", "content": "Hi"}]


def test_system_text_goes_first_unless_prompt_has_one():
    assert as_messages("Hi", "Be brief.")[0] == {"role": "system", "content": "Be brief."}
    own = [{"role": "system", "content": "Be long."}, *TURNS]
    assert as_messages(own, "Be brief.") == own


def test_messages_are_copied():
    turns = [dict(TURNS[0])]
    as_messages(turns, None)[0]["content"] = "changed"
    assert turns == [TURNS[0]]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (None, "'NoneType' is not a prompt"),
        (b"bytes", "'bytes' is not a prompt"),
        ({"role": "user"}, "'dict' is not a prompt"),
        ([], "There is no prompt"),
        (["text"], "The prompt holds a 'str' in place of a message"),
        ([{"content": "no role"}], "A message of the prompt has no role"),
    ],
)
def test_other_types_raise_prompt_error(prompt, message):
    with pytest.raises(PromptError, match=message):
        as_messages(prompt, None)


def test_text_of_joins_text_parts():
    assert text_of(TURNS[2]["content"]) == "And now?"
    assert text_of(["a", {"type": "text"}]) == "a"
    assert text_of(None) == ""


@pytest.mark.parametrize("content", [7, [7], [{"type": "image_url"}], [{}]])
def test_text_of_refuses_other_content(content):
    with pytest.raises(PromptError):
        text_of(content)


def test_flatten_keeps_one_message_as_it_is():
    assert flatten([{"role": "user", "content": "Hi"}]) == "Hi"
    assert flatten([{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]) == "S\n\nHi"


def test_flatten_names_speakers_of_conversation():
    assert flatten(TURNS) == "User: Hi\n\nAssistant: Hello\n\nUser: And now?\n\nAssistant:"


def test_tool_calls_are_text_where_only_text_can_go():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "2"},
    ]
    assert flatten(turns) == 'User: Hi\n\nAssistant: [called f({"x": 1})]\n\nTool: 2\n\nAssistant:'
    assert preview_text(turns[1]) == '[called f({"x": 1})]'

"""LangChain messages and the wire's, there and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from azml_magics.core.errors import PromptError
from azml_magics.langchain import messages_from_wire, messages_to_wire
from azml_magics.langchain.chunks import ToolCallChunks
from azml_magics.langchain.message_conversion import message_to_wire, tool_calls_from_wire

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "näme": "ü"}'}}


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (HumanMessage("Hi"), {"role": "user", "content": "Hi"}),
        (HumanMessageChunk(content="Hi"), {"role": "user", "content": "Hi"}),
        (HumanMessage("Hi", name="ann"), {"role": "user", "content": "Hi", "name": "ann"}),
        (AIMessage("Hello"), {"role": "assistant", "content": "Hello"}),
        (AIMessageChunk(content="Hello"), {"role": "assistant", "content": "Hello"}),
        (SystemMessage("Be brief"), {"role": "system", "content": "Be brief"}),
        (
            SystemMessage("Be brief", additional_kwargs={"__openai_role__": "developer"}),
            {"role": "developer", "content": "Be brief"},
        ),
        (ChatMessage("Hm", role="critic"), {"role": "critic", "content": "Hm"}),
        (FunctionMessage("3", name="add"), {"role": "function", "content": "3", "name": "add"}),
        (ToolMessage("3", tool_call_id="c1"), {"role": "tool", "content": "3", "tool_call_id": "c1"}),
        (
            ToolMessage(["3 ", {"type": "text", "text": "apples"}], tool_call_id="c1"),
            {"role": "tool", "content": "3 apples", "tool_call_id": "c1"},
        ),
        (
            AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1, "näme": "ü"}, "id": "c1"}]),
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
        ),
        (
            AIMessage("", additional_kwargs={"tool_calls": [CALL]}),
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
        ),
    ],
)
def test_each_message_class_converts_to_a_dict(message: BaseMessage, wire):
    assert message_to_wire(message) == wire


def test_reasoning_is_not_sent_back():
    assert message_to_wire(AIMessage("42", additional_kwargs={"reasoning_content": "let me think"})) == {
        "role": "assistant",
        "content": "42",
    }


def test_invalid_tool_call_is_sent_back_unchanged():
    message = messages_from_wire([{"role": "assistant", "content": "", "tool_calls": [broken_call("{a:")]}])[0]
    assert isinstance(message, AIMessage)
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == "{a:"
    assert message_to_wire(message)["tool_calls"] == [broken_call("{a:")]


def broken_call(arguments):
    return {"id": "c1", "type": "function", "function": {"name": "add", "arguments": arguments}}


def test_message_without_role_raises_prompt_error():
    with pytest.raises(PromptError, match="A RemoveMessage has no role that an endpoint knows"):
        messages_to_wire([RemoveMessage(id="1")])
    with pytest.raises(PromptError, match="A message has no role"):
        messages_from_wire([{"content": "hi"}])


def test_null_content_becomes_empty_text():
    made = messages_from_wire([{"role": "assistant", "content": None, "tool_calls": [CALL]}])[0]
    assert made.content == ""
    assert made.tool_calls[0]["args"] == {"a": 1, "näme": "ü"}


@pytest.mark.parametrize(
    ("arguments", "args"),
    [("", {}), (None, {}), ("{}", {}), ({"a": 1}, {"a": 1}), ('{"a": "x\ny"}', {"a": "x\ny"})],
    ids=["empty", "null", "object", "not text", "raw newline"],
)
def test_tool_call_arguments_are_parsed(arguments, args):
    good, bad = tool_calls_from_wire([broken_call(arguments)])
    assert [call["args"] for call in good] == [args]
    assert bad == []


@pytest.mark.parametrize("call", [broken_call("[1]"), broken_call("{"), {"id": "c", "function": {}}, {"id": "c"}])
def test_malformed_tool_call_is_kept_as_invalid(call):
    good, bad = tool_calls_from_wire([call])
    assert good == []
    assert bad[0]["error"]


def test_tool_call_chunks_add_up():
    pieces = [
        {"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 1, "id": "c2", "function": {"name": "sub", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": ": 1}"}},
    ]
    assert add_up(pieces) == [("add", {"a": 1}, "c1"), ("sub", {}, "c2")]


def add_up(pieces):
    """The calls that LangChain puts together of the fragments."""
    full, chunks = AIMessageChunk(content=""), ToolCallChunks()
    for piece in pieces:
        full = full + AIMessageChunk(content="", tool_call_chunks=chunks.convert([piece]))
    return [(call["name"], call["args"], call["id"]) for call in full.tool_calls]


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([(None, "c1", "f", '{"n"'), (None, None, None, ":9}")], [("f", {"n": 9}, "c1")]),
        ([(0, "c1", "f", "{}"), (0, "c2", "g", '{"y":2}')], [("f", {}, "c1"), ("g", {"y": 2}, "c2")]),
        ([(0, "c1", "f", '{"n"'), (0, "c1", "f", ":9}")], [("f", {"n": 9}, "c1")]),
        ([(3, "c1", "f", "{}"), (7, "c2", "g", "{}")], [("f", {}, "c1"), ("g", {}, "c2")]),
    ],
    ids=["no index", "one index for two", "id and name repeated", "indexes with gaps"],
)
def test_tool_call_chunks_of_every_server_add_up(pieces, calls):
    fragments = [
        {"index": index, "id": ident, "function": {"name": name, "arguments": arguments}}
        for index, ident, name, arguments in pieces
    ]
    assert add_up(fragments) == calls


# ---- there and back, whatever is said ------------------------------------------------------------------------

texts = st.text(max_size=40)
names = st.text("abcdefghij_", min_size=1, max_size=10)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
calls = st.builds(
    lambda identity, name, args: {
        "id": identity,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(args, ensure_ascii=False)},
    },
    names,
    names,
    st.dictionaries(texts, json_values, max_size=3),
)
parts = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, texts)
    | st.builds(lambda url: {"type": "image_url", "image_url": {"url": f"https://{url}"}}, names),
    min_size=2,
    max_size=4,
)
wire_messages = (
    st.builds(lambda role, content: {"role": role, "content": content}, st.sampled_from(["system", "developer"]), texts)
    | st.builds(lambda content: {"role": "user", "content": content}, texts | parts)
    | st.builds(lambda content, name: {"role": "user", "content": content, "name": name}, texts, names)
    | st.builds(lambda content: {"role": "assistant", "content": content}, texts)
    | st.builds(
        lambda content, made: {"role": "assistant", "content": content, "tool_calls": made},
        texts,
        st.lists(calls, min_size=1, max_size=3),
    )
    | st.builds(lambda content, call: {"role": "tool", "content": content, "tool_call_id": call}, texts, names)
)


@given(st.lists(wire_messages, max_size=5))
def test_wire_messages_round_trip(messages):
    assert messages_to_wire(messages_from_wire(messages)) == messages


@given(st.lists(wire_messages, max_size=5))
def test_langchain_messages_round_trip(messages):
    made = messages_from_wire(messages)
    assert messages_from_wire(messages_to_wire(made)) == made


@given(st.lists(st.dictionaries(st.sampled_from(["id", "function", "index", "type"]), json_values, max_size=4)))
def test_tool_calls_from_wire_accepts_any_json(found):
    good, bad = tool_calls_from_wire(found)
    assert len(good) + len(bad) == len(found)
    ToolCallChunks().convert(found)

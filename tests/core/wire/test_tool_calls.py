"""Tool calls, whole and in fragments. Their places are tested with the formats that have them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.wire.tool_calls import ToolCallBuilder, from_function_call, normalize_tool_calls


@pytest.mark.parametrize("calls", [None, {}, "x", [None, 1, "x"]])
def test_other_values_are_no_calls(calls):
    assert normalize_tool_calls(calls) == ()
    assert from_function_call(calls) == ()


def test_numbers_as_ids_and_objects_as_arguments_become_text():
    (call,) = normalize_tool_calls([{"id": 0, "function": {"name": "f", "arguments": {"n": 9}}}])
    assert (call["id"], json.loads(call["function"]["arguments"])) == ("0", {"n": 9})


def test_legacy_function_call_becomes_a_tool_call():
    (call,) = from_function_call({"name": "f", "arguments": "{}"})
    assert call["function"] == {"name": "f", "arguments": "{}"}


@given(st.lists(st.text(min_size=1, max_size=5), max_size=6), st.sampled_from([{"index": 0}, {"index": None}, {}]))
def test_pieces_of_arguments_are_joined(pieces, place):
    builder = ToolCallBuilder()
    builder.add({**place, "id": "a", "function": {"name": "f"}})
    for piece in pieces:
        builder.add({**place, "function": {"arguments": piece}})
    (call,) = builder.tool_calls
    assert call == {"type": "function", "id": "a", "function": {"name": "f", "arguments": "".join(pieces)}}


@given(st.lists(st.dictionaries(st.sampled_from(["index", "id", "function", "type"]), st.none() | st.integers() | st.text()
       | st.dictionaries(st.sampled_from(["name", "arguments"]), st.none() | st.text() | st.integers()))))  # fmt: skip
def test_any_fragments_give_calls_with_texts(fragments):
    builder = ToolCallBuilder()
    for fragment in normalize_tool_calls(fragments):
        builder.add(fragment)
    for call in builder.tool_calls:
        assert isinstance(call["function"]["name"], str)
        assert isinstance(call["function"]["arguments"], str)

"""Response, Chunk and Usage: data, and nothing made up."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.response import Chunk, Response, Usage, Verdict


def test_str_of_a_response_is_its_text():
    assert str(Response("Fizz\n")) == "Fizz\n"
    assert f"{Response('x')}" == "x"


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, Usage(1, 2, 3)),
        ({"prompt_tokens": 1, "completion_tokens": 2}, Usage(1, 2, 3)),
        ({"completion_tokens": 2}, Usage(None, 2, None)),
        ({"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}, Usage(1, 0, 1)),
        ({"prompt_tokens": True, "completion_tokens": -1, "total_tokens": "3"}, None),
        ({}, None),
        (None, None),
        ([1], None),
    ],
)
def test_usage_is_read_from_the_wire(wire, usage):
    assert Usage.from_wire(wire) == usage


def test_usage_dict_omits_unknown_counts():
    assert Usage(None, 2, None).to_dict() == {"completion_tokens": 2}
    assert Usage(1, 2, 3).to_dict() == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"]), st.none() | st.integers() | st.text()
    )
)
def test_invalid_counts_are_ignored(wire):
    usage = Usage.from_wire(wire)
    assert usage is None or all(value >= 0 for value in usage.to_dict().values())


def test_response_pickles():
    response = Response("t", usage=Usage(1, 2, 3), raw={"a": [1]}, tool_calls=({"id": "c"},))
    assert pickle.loads(pickle.dumps(response)) == response


def test_chunk_fields_default_to_empty():
    assert Chunk("a") == Chunk(text="a", reasoning="", tool_calls=(), usage=None, finish_reason=None)


def test_to_dict_and_from_dict_restore_a_response():
    calls = ({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},)
    response = Response(
        "text", usage=Usage(1, 2, 3), finish_reason="stop", latency=1.25, request_id="r", tool_calls=calls,
        parsed={"a": 1}, raw={"big": 1}, format="json",
    )  # fmt: skip
    data = response.to_dict()
    assert "raw" not in data
    restored = Response.from_dict(json.loads(json.dumps(data)))
    assert vars(restored) == {**vars(response), "parsed": None, "raw": None, "format": "markdown"}
    assert Response("").to_dict() == {"text": ""}


def test_to_dict_and_from_dict_restore_headers_filters_choices_and_details():
    usage = Usage(1, 2, 3, {"completion_tokens_details": {"reasoning_tokens": 2}})
    response = Response(
        "a", usage=usage, headers={"x-ms-region": "Sweden Central"}, attempts=2, choices=(Response("a"), Response("b")),
        filters=(Verdict("hate", "safe"), Verdict("jailbreak", filtered=True, source="prompt", detail="detected")),
        items=({"type": "reasoning", "id": "rs_1"},), notices=("cut off",),
    )  # fmt: skip
    restored = Response.from_dict(json.loads(json.dumps(response.to_dict())))
    assert restored == response
    assert (restored.headers, restored.usage.details) == (response.headers, usage.details)


def test_usage_names_reasoning_cached_and_audio_tokens():
    details = {
        "prompt_tokens_details": {"cached_tokens": 3200, "audio_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 2},
    }
    usage = Usage(3254, 200, 3454, details)
    assert (usage.reasoning_tokens, usage.cached_tokens, usage.audio_tokens) == (192, 3200, 3)
    assert (Usage(1).reasoning_tokens, Usage(1).cached_tokens, Usage(1).audio_tokens) == (0, 0, 0)


def test_to_dict_with_names_returns_exactly_these():
    response = Response("Hi", usage=Usage(1, 2, 3))
    assert response.to_dict("usage", "model", "tool_calls") == {
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        "model": "",
        "tool_calls": [],
    }


@pytest.mark.parametrize(
    "data", [{}, [], "text", None, {"text": 1}, {"text": "", "usage": 3}, {"text": "", "tool_calls": 3}]
)
def test_from_dict_refuses_other_data(data):
    with pytest.raises(ValueError, match="not a response"):
        Response.from_dict(data)

"""Streams of Anthropic's Messages API: read like the message that they build, whatever else comes between."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azml_magics.core.errors import ContentFilterError, ServiceUnavailableError
from azml_magics.core.response import Response
from azml_magics.core.wire.anthropic_events import AnthropicReader
from azml_magics.core.wire.anthropic_output import parse_message
from azml_magics.core.wire.response_builder import ResponseBuilder
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors
from .json_strategies import JSON


def read(events) -> tuple[Response, AnthropicReader]:
    """The response in events, and the reader that read them; the names of events are not sent."""
    reader, builder = AnthropicReader(), ResponseBuilder()
    for event in events:
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        chunk = reader.read(Event("message", data))
        if chunk is not None:
            builder.add(chunk)
    return builder.build(Response("")), reader


def essence(response: Response):
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in response.tool_calls
    ]
    return (
        response.text,
        response.reasoning,
        calls,
        response.finish_reason,
        response.usage,
        response.usage and response.usage.details,
        list(response.items),
        response.model,
    )


TEXT = st.text(min_size=1, max_size=12)
BLOCK = (
    TEXT.map(lambda text: {"type": "text", "text": text})
    | TEXT.map(lambda text: {"type": "thinking", "thinking": text, "signature": "EqQB"})
    | st.just({"type": "redacted_thinking", "data": "x"})
    | st.sampled_from([{}, {"city": "Lisbon"}]).map(
        lambda given: {"type": "tool_use", "id": "t", "name": "f", "input": given}
    )
    | st.just({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"text": "no text of ours"}]})
)
USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 7,
    "output_tokens": 9,
    "output_tokens_details": {"thinking_tokens": 4},
}


def pieces(draw, text):
    cut = draw(st.integers(0, len(text)))
    return [piece for piece in (text[:cut], text[cut:]) if piece]


def events_of(draw, at, block):
    kind, place = block["type"], {"index": at}
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}.get(kind, {})
    deltas = []
    if kind == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(draw, block["text"])]
    elif kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(draw, block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind == "tool_use" and draw(st.booleans()):
        empty = {"input": {}}
        deltas = [
            {"type": "input_json_delta", "partial_json": piece}
            for piece in ["", *pieces(draw, json.dumps(block["input"]))]
        ]
    yield {"type": "content_block_start", **place, "content_block": {**block, **empty}}
    for delta in deltas:
        yield {"type": "content_block_delta", **place, "delta": delta}
    yield {"type": "content_block_stop", **place}


@st.composite
def streams(draw):
    """(message, the events of its stream)."""
    blocks = draw(st.lists(BLOCK, min_size=1, max_size=4))
    ids = [{**block, "id": f"t{at}"} if block["type"] == "tool_use" else block for at, block in enumerate(blocks)]
    message = {"type": "message", "model": "m", "content": ids, "stop_reason": "end_turn", "usage": USAGE}
    start = {**message, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    events = [{"type": "message_start", "message": start}]
    for at, block in enumerate(ids):
        events += events_of(draw, at, block)
    usage = {"output_tokens": 9, "input_tokens": None}
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})
    return message, [*events, {"type": "message_stop"}]


@given(streams())
def test_stream_is_read_like_its_message(stream):
    message, events = stream
    found, reader = read(events)
    assert reader.is_over
    assert essence(found) == essence(parse_message(message))


@given(streams(), st.data())
def test_unknown_events_and_fields_never_become_text(stream, data):
    _, events = stream
    expected, _ = read(events)
    noise = data.draw(
        st.lists(
            st.dictionaries(
                st.sampled_from(["delta", "text", "content_block", "message", "usage", "choices"]), JSON, max_size=3
            ),
            max_size=4,
        )
    )
    shuffled = [{**dict(sorted(event.items(), reverse=True)), "request_id": "x"} for event in events]
    for each in noise:
        kind = data.draw(st.sampled_from(["ping", "content_block_note", "", "message_annotation"]))
        shuffled.insert(data.draw(st.integers(0, len(shuffled) - 1)), {**each, "type": kind})
    found, _ = read([*shuffled, b"[DONE]"])
    assert essence(found) == essence(expected)


TYPES = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
]
DELTAS = st.builds(
    dict,
    type=st.sampled_from(["text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta"]),
    text=JSON,
    thinking=JSON,
    partial_json=JSON,
    citation=JSON,
)
BLOCKS = st.builds(dict, type=st.sampled_from(["text", "thinking", "tool_use"]), text=JSON, id=JSON, input=JSON)
EVENTS = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(
        st.sampled_from(["index", "delta", "content_block", "message", "usage"]), JSON | DELTAS | BLOCKS, max_size=5
    ),
    st.sampled_from(TYPES),
)


@settings(max_examples=60)
@given(st.lists(EVENTS | JSON, max_size=4))
def test_any_event_is_read_or_raises_our_error(events):
    with only_our_errors():
        read(events)


def test_refusal_in_a_stream_raises():
    delta = {"stop_reason": "refusal", "stop_details": {"type": "refusal", "category": "bio", "explanation": None}}
    with pytest.raises(ContentFilterError, match="bio"):
        read([{"type": "message_delta", "delta": delta}])


def test_overload_in_a_stream_raises():
    with pytest.raises(ServiceUnavailableError, match="Overloaded"):
        read([{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}])


def test_input_that_a_limit_cut_short_is_kept_as_text():
    found, _ = read(
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a'}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
        ]
    )
    assert found.finish_reason == "length"
    assert found.tool_calls[0]["function"]["arguments"] == '{"a'
    assert found.items[0]["input"] == {"arguments": '{"a'}


def test_citations_stay_with_their_text():
    found, _ = read(
        [
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": "", "citations": None},
            },
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"url": "u"}}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        ]
    )
    assert found.items == ({"type": "text", "text": "Hi", "citations": [{"url": "u"}]},)

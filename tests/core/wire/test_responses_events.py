"""Streams of the Responses API: read like the response object that ends them, whatever else comes between."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azml_magics.core.errors import ModelError, RateLimitError
from azml_magics.core.response import Response
from azml_magics.core.wire.response_builder import ResponseBuilder
from azml_magics.core.wire.responses_events import ResponsesReader
from azml_magics.core.wire.responses_output import parse_response_object
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors
from .json_strategies import JSON


def read(events) -> tuple[Response, ResponsesReader]:
    """The response in events, and the reader that read them; the names of events are not sent."""
    reader, builder = ResponsesReader(), ResponseBuilder()
    for event in events:
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        chunk = reader.read(Event("message", data))
        if chunk is not None:
            builder.add(chunk)
    return builder.build(Response("")), reader


def essence(response: Response):
    return (
        response.text,
        response.reasoning,
        list(response.tool_calls),
        response.finish_reason,
        response.usage,
        list(response.items),
    )


# ---- any output, in any pieces


TEXT = st.text(min_size=1, max_size=12)
MESSAGE = st.lists(
    st.sampled_from(["output_text", "refusal"]).flatmap(lambda kind: st.tuples(st.just(kind), TEXT)),
    min_size=1,
    max_size=2,
).map(
    lambda parts: {
        "type": "message",
        "role": "assistant",
        "content": [{"type": kind, {"output_text": "text", "refusal": "refusal"}[kind]: text} for kind, text in parts],
    }
)
REASONING = st.lists(TEXT, max_size=2).map(
    lambda texts: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text} for text in texts]}
)
THOUGHTS = TEXT.map(
    lambda text: {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
)
CALL = st.builds(
    lambda name, arguments: {"type": "function_call", "name": name, "arguments": arguments},
    st.sampled_from(["f", "g"]),
    st.sampled_from(["{}", '{"city":"Lisbon"}']),
)
OUTPUT = st.lists(MESSAGE | REASONING | THOUGHTS | CALL, min_size=1, max_size=4).map(
    lambda items: [
        {"id": f"i{at}", **item, **({"call_id": f"c{at}"} if item["type"] == "function_call" else {})}
        for at, item in enumerate(items)
    ]
)


def whole(output, **fields):
    usage = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}
    return {"id": "r", "status": "completed", "model": "m", "output": output, "usage": usage, **fields}


def pieces(draw, text):
    cut = draw(st.integers(0, len(text)))
    return [piece for piece in (text[:cut], text[cut:]) if piece]


def deltas(draw, item, place):
    """The events with the texts of an item."""
    if item["type"] == "function_call":
        for piece in pieces(draw, item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    for at, part in enumerate(item.get("content", ())):
        kind = {"output_text": "output_text", "refusal": "refusal", "reasoning_text": "reasoning_text"}[part["type"]]
        name = "response.reasoning_text.delta" if kind == "reasoning_text" else f"response.{kind}.delta"
        for piece in pieces(draw, part.get("text", part.get("refusal"))):
            yield {"type": name, **place, "content_index": at, "delta": piece}
        yield {"type": name.replace("delta", "done"), **place, "text": part.get("text", "")}
    for at, part in enumerate(item.get("summary", ())):
        yield {"type": "response.reasoning_summary_part.added", **place, "summary_index": at, "part": part}
        for piece in pieces(draw, part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", **place, "summary_index": at, "delta": piece}


@st.composite
def streams(draw):
    """(output, the events of its stream), with what some servers leave out left out."""
    output = draw(OUTPUT)
    names_items, numbers_items = draw(st.booleans()), draw(st.booleans())
    events = [{"type": "response.created", "response": whole([], status="in_progress")}]
    for at, item in enumerate(output):
        place = {"output_index": at} if numbers_items else {"item_id": item["id"]}
        if names_items:
            empty = {name: value for name, value in item.items() if name not in ("content", "summary", "arguments")}
            events.append({"type": "response.output_item.added", **place, "item": empty})
        if draw(st.booleans()):
            events += deltas(draw, item, place)
        events.append({"type": "response.output_item.done", **place, "item": item})
    is_repeated = draw(st.booleans())
    events.append({"type": "response.completed", "response": whole(output if is_repeated else [])})
    return output, events


@given(streams())
def test_stream_is_read_like_its_response_object(stream):
    output, events = stream
    found, reader = read(events)
    assert reader.is_over
    assert reader.is_complete
    expected = parse_response_object(whole(output))
    assert essence(found) == essence(expected)


@given(streams(), st.data())
def test_unknown_events_and_fields_never_become_text(stream, data):
    _, events = stream
    expected, _ = read(events)
    known = {"response.created", *(event["type"] for event in events)}
    noise = data.draw(
        st.lists(
            st.dictionaries(st.sampled_from(["delta", "text", "item", "content", "choices", "part"]), JSON, max_size=3),
            max_size=4,
        )
    )
    shuffled = [{**dict(sorted(event.items(), reverse=True)), "obfuscation": "x1"} for event in events]
    for each in noise:
        kind = data.draw(
            st.sampled_from(["ping", "keepalive", "response.new.delta", "", "response.output_text.annotation.added"])
        )
        assert kind not in known
        shuffled.insert(data.draw(st.integers(0, len(shuffled) - 1)), {**each, "type": kind})
    found, _ = read([*shuffled, b"[DONE]"])
    assert essence(found) == essence(expected)


TYPES = [
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
    "response.output_item.added",
    "response.output_item.done",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
]
FIELDS = ["delta", "item", "response", "output_index", "item_id", "summary_index", "message", "code"]
ITEMS = st.builds(
    dict,
    type=st.sampled_from(["message", "reasoning", "function_call"]),
    content=JSON,
    summary=JSON,
    arguments=JSON,
    call_id=JSON,
)
OBJECTS = st.builds(
    dict, status=st.sampled_from(["completed", "failed", "incomplete"]), output=JSON | st.lists(ITEMS), usage=JSON
)
EVENTS = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.sampled_from(FIELDS), JSON | ITEMS | OBJECTS, max_size=6),
    st.sampled_from(TYPES),
)


@settings(max_examples=60)
@given(st.lists(EVENTS | JSON, max_size=4))
def test_any_event_is_read_or_raises_our_error(events):
    with only_our_errors():
        read(events)


# ---- particular streams


def test_last_event_alone_is_enough():
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    found, _ = read([{"type": "response.completed", "response": whole([message, call])}])
    assert (found.text, found.finish_reason) == ("Hi", "tool_calls")
    assert found.tool_calls == ({"type": "function", "function": {"name": "f", "arguments": "{}"}, "id": "c"},)


def test_kind_of_the_last_event_is_the_status_if_it_has_none():
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    found, _ = read([{"type": "response.completed", "response": {"output": [message]}}])
    assert (found.text, found.finish_reason) == ("Hi", "stop")
    found, _ = read([{"type": "response.incomplete", "response": {"output": [message]}}])
    assert found.finish_reason == "incomplete"


def test_messages_are_separated_as_in_the_response_object():
    def delta(place, text):
        return {"type": "response.output_text.delta", "output_index": place, "content_index": 0, "delta": text}

    found, _ = read(
        [delta(0, "A"), delta(0, "B"), delta(2, "C"), {"type": "response.completed", "response": whole([])}]
    )
    assert found.text == "AB\n\nC"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "Too many."}, RateLimitError),
        ({"type": "error", "error": {"code": "odd", "message": "Too many."}}, ModelError),
        (
            {
                "type": "response.failed",
                "response": whole([], status="failed", error={"code": "x", "message": "Too many."}),
            },
            ModelError,
        ),
    ],
)
def test_failure_in_a_stream_raises(event, kind):
    with pytest.raises(kind, match="Too many"):
        read([event])


def test_hidden_reasoning_that_took_all_tokens_is_a_response():
    reasoning = {"type": "reasoning", "id": "rs", "summary": []}
    end = whole([reasoning], status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    found, reader = read([{"type": "response.incomplete", "response": end}])
    assert (found.text, found.finish_reason, found.items) == ("", "length", (reasoning,))
    assert reader.is_complete


def test_filtered_stream_has_the_finish_reason():
    end = whole([], status="incomplete", incomplete_details={"reason": "content_filter"})
    found, _ = read([{"type": "response.incomplete", "response": end}])
    assert found.finish_reason == "content_filter"

"""OpenAI's list of choices: whole responses and events, in chat and completions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ContentFilterError, ModelError, ResponseFormatError
from azml_magics.core.response import Chunk, Usage, Verdict
from azml_magics.core.wire.event_stream import EventStream
from azml_magics.core.wire.openai_choices import ChoicesEventReader, parse_choices
from azml_magics.core.wire.openai_content import read_completion
from azml_magics.core.wire.sse import Event

from ..judge import only_our_errors
from .json_strategies import CHAT_CHOICES, CHOICES, JSON

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def read_event(value: object, kind: str = "message", reader: ChoicesEventReader | None = None) -> Chunk | None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return (reader or ChoicesEventReader()).read(Event(kind, data))


def delta(content=None, finish=None, index=0, **more):
    return {"choices": [{"index": index, "delta": {"content": content, **more}, "finish_reason": finish}]}


def read_stream(*values, done=True):
    events = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    body = b"".join(b"data: " + data + b"\n\n" for data in [*events, *([b"[DONE]"] if done else [])])
    stream = EventStream(ChoicesEventReader())
    chunks = [*stream.feed(body), *stream.close()]
    return stream.response, chunks


def message(finish="stop", **fields):
    return {"choices": [{"message": {"role": "assistant", **fields}, "finish_reason": finish}]}


# ---- whole


@pytest.mark.parametrize("value", [["t"], "t", {}, {"output": "t"}, {"choices": None}, {"choices": {}}])
def test_other_shapes_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match="no text"):
        parse_choices(value)


@pytest.mark.parametrize("value", [{"choices": []}, {"choices": ["t"]}, {"choices": [{"index": 0}]}])
def test_choices_without_content_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match=r"no choices|neither a message nor a text"):
        parse_choices(value)


def test_chat_choice_is_read_with_all_it_has():
    response = parse_choices(
        {
            "model": "phi",
            "choices": [
                {
                    "message": {"content": None, "tool_calls": [CALL], "reasoning_content": "hm"},
                    "finish_reason": "tool_calls",
                    "logprobs": {"content": []},
                }
            ],
            "usage": {"prompt_tokens": 19, "total_tokens": 91, "completion_tokens": 72},
        }
    )
    assert (response.text, response.tool_calls) == ("", (CALL,))
    assert (response.reasoning, response.model, response.finish_reason) == ("hm", "phi", "tool_calls")
    assert response.usage == Usage(19, 72, 91)
    assert response.logprobs == {"content": []}


@pytest.mark.parametrize(
    ("fields", "text", "reasoning"),
    [
        ({"content": "t"}, "t", ""),
        ({"content": [{"type": "text", "text": "t"}]}, "t", ""),
        ({"content": None, "refusal": "I cannot"}, "I cannot", ""),
        ({"content": None, "audio": {"transcript": "Woof."}}, "Woof.", ""),
        ({"content": "t", "reasoning_content": "hm"}, "t", "hm"),
        ({"content": "t", "reasoning": "hm"}, "t", "hm"),
        ({"content": "<think>hm</think>t"}, "t", "hm"),
        ({"content": "<think>x</think>", "reasoning_content": "hm"}, "<think>x</think>", "hm"),
        ({"content": [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "t"}]}, "t", "hm"),
        ({"content": "The tag <think> opens"}, "The tag <think> opens", ""),
        ({"content": "None"}, "None", ""),
    ],
)
def test_text_and_reasoning_of_a_message(fields, text, reasoning):
    response = parse_choices(message(**fields))
    assert (response.text, response.reasoning) == (text, reasoning)
    streamed, _ = read_stream({"choices": [{"delta": fields}]}, delta(finish="stop"))
    assert (streamed.text, streamed.reasoning) == (text, reasoning)


def test_arguments_as_object_and_numbers_as_ids_become_text():
    call = {"id": 0, "function": {"name": "f", "arguments": {"city": "Oslo"}}}
    made = parse_choices(message("tool_calls", tool_calls=[call])).tool_calls[0]
    assert json.loads(made["function"]["arguments"]) == {"city": "Oslo"}
    assert made["id"] == "0"


def test_legacy_function_call_is_a_tool_call():
    function = {"name": "f", "arguments": '{"n": 9}'}
    assert parse_choices(message("function_call", function_call=function)).tool_calls[0]["function"] == function
    pieces = [{"name": "f", "arguments": '{"n"'}, {"arguments": ": 9}"}]
    streamed, _ = read_stream(*(delta(function_call=piece) for piece in pieces), delta(finish="function_call"))
    assert streamed.tool_calls[0]["function"] == function


@pytest.mark.parametrize("finish", ["stop", None])
def test_choice_with_nothing_in_it_is_a_failure(finish):
    with pytest.raises(ModelError, match="empty text"):
        parse_choices(message(finish, content=""))


def test_limit_that_went_into_hidden_reasoning_is_a_response():
    assert parse_choices(message("length", content="")).text == ""


def test_failure_of_a_choice_is_raised():
    failed = {"message": {"content": ""}, "error": {"code": 502, "message": "upstream"}, "finish_reason": "error"}
    with pytest.raises(ModelError, match="upstream"):
        parse_choices({"choices": [failed]})
    with pytest.raises(ModelError, match="finish reason error") as caught:
        parse_choices(message("error", content="Once"))
    assert caught.value.response.text == "Once"


def test_content_filter_keeps_the_text_before_it():
    for value in (message("content_filter", content="Once"), message("content_filter_error", content="Once")):
        with pytest.raises(ContentFilterError) as caught:
            parse_choices(value)
        assert caught.value.response.text == "Once"
    with pytest.raises(ContentFilterError):
        parse_choices({"choices": [{"finish_reason": "content_filter"}]})


def test_completions_read_text_alone():
    assert parse_choices({"choices": [{"text": "t", "finish_reason": "stop"}]}, read_completion).text == "t"
    with pytest.raises(ResponseFormatError):
        parse_choices(message(content="t"), read_completion)
    with pytest.raises(ResponseFormatError):
        parse_choices({"choices": [{"text": "t"}]})


def test_choices_are_told_apart_by_index():
    choices = [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]
    response = parse_choices({"choices": choices})
    assert response.text == "a"
    assert [choice.text for choice in response.choices] == ["a", "b"]
    assert parse_choices({"choices": choices[:1]}).choices == ()


# ---- events


def test_chat_events():
    first = {"id": "1", "model": "m", "choices": [{"delta": {"role": "assistant", "content": ""}}]}
    assert read_event(first) == Chunk(model="m")
    assert read_event(delta("There")) == Chunk("There")
    assert read_event(delta(finish="stop")) == Chunk(finish_reason="stop")
    assert read_event(delta(reasoning_content="hm")) == Chunk(reasoning="hm")
    assert read_event(delta(reasoning="hm")) == Chunk(reasoning="hm")


def test_completion_events():
    reader = ChoicesEventReader(read_completion)
    event = {"choices": [{"text": " with", "index": 0, "finish_reason": None}]}
    assert read_event(event, reader=reader) == Chunk(" with")
    assert read_event({"choices": [{"text": "", "finish_reason": "length"}]}, reader=reader) == Chunk(
        finish_reason="length"
    )


USAGE = {"prompt_tokens": 1, "completion_tokens": 2}


@pytest.mark.parametrize("value", [{**delta("", "stop"), "usage": USAGE}, {"choices": [], "usage": USAGE}, {"usage": USAGE},
                                   {"choices": None, "usage": USAGE}])  # fmt: skip
def test_usage_is_read_from_any_event(value):
    chunk = read_event(value)
    assert chunk is not None
    assert chunk.usage == Usage(1, 2, 3)


METADATA = [
    {"choices": [], "prompt_filter_results": [{}], "id": "", "model": ""},
    {"id": "x", "object": "chat.completion.chunk"},
    {"type": "ping"},
    {"hook_results": {"before_request_hooks": []}},
    {"provider": "p", "output": "no answer", "text": "no answer"},
    {"choices": None},
    b": OPENROUTER PROCESSING",
    b"[]",
    b'"keep-alive"',
    b"null",
]


@pytest.mark.parametrize("value", METADATA)
def test_events_without_choices_are_metadata_anywhere(value):
    assert read_event(value) is None
    response, chunks = read_stream(value, delta("A"), value, delta("B", "stop"), value)
    assert response.text == "AB"
    assert "".join(chunk.text for chunk in chunks) == "AB"


def test_events_of_other_types_are_skipped():
    assert read_event(b"now", "ping") is None


@pytest.mark.parametrize("data", [b"[DONE]", b"[DONE] ", b"  [DONE]\t"])
def test_done_ends_the_stream(data):
    reader = ChoicesEventReader()
    assert read_event(data, reader=reader) is None
    assert reader.is_over


@pytest.mark.parametrize(
    "value",
    [{"error": {"message": "boom"}}, {"object": "error", "message": "boom"}, {"detail": "boom"},
     {"code": 500, "message": "boom"}, {"choices": [{"delta": {}, "error": {"message": "boom"}}]}],
)  # fmt: skip
def test_failures_in_events_are_raised(value):
    with pytest.raises(ModelError, match="boom"):
        read_event(value)


@pytest.mark.parametrize("values", [(), (delta("", role="assistant"),), (delta("", "stop"),)])
def test_stream_with_nothing_in_it_is_a_failure(values):
    with pytest.raises(ModelError, match="empty text"):
        read_stream(*values)


def test_finish_reason_error_is_a_failure():
    with pytest.raises(ModelError, match="finish reason error"):
        read_stream(delta("A"), delta(finish="error"))


def test_streamed_choices_are_told_apart_by_index():
    both = {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "c"}}]}
    response, chunks = read_stream(
        delta("a", index=0), delta("b", index=1), both, delta(finish="stop", index=1), delta(finish="length", index=0)
    )
    assert [(choice.text, choice.finish_reason) for choice in response.choices] == [("ac", "length"), ("bx", "stop")]
    assert response.text == "ac"
    assert "".join(chunk.text for chunk in chunks) == "ac"


def test_thoughts_without_an_opening_tag_are_retracted():
    response, chunks = read_stream(
        delta("Hm"), delta(".\n</thi"), delta("nk>\n"), delta("\nFour."), delta(finish="stop")
    )
    assert (response.text, response.reasoning) == ("Four.", "Hm.")
    assert [chunk.retracts for chunk in chunks if chunk.text or chunk.retracts] == [False, False, True, False]


def test_text_held_back_comes_with_the_finish_reason():
    response, chunks = read_stream(delta("<thi"), delta(finish="stop"))
    assert response.text == "<thi"
    assert chunks[-1].text == "<thi"


def test_filter_verdicts_are_kept_with_their_source():
    value = {
        **message(content="t"),
        "prompt_filter_results": [{"content_filter_results": {"jailbreak": {"filtered": False, "detected": True}}}],
    }
    cited = {"filtered": False, "detected": True, "citation": {"URL": "https://e.org/x", "license": "MIT"}}
    value["choices"][0]["content_filter_results"] = {
        "violence": {"filtered": False, "severity": "low"}, "protected_material_text": cited,
        "error": {"code": "x", "message": "did not run"},
    }  # fmt: skip
    assert parse_choices(value).filters == (
        Verdict("jailbreak", source="prompt", detail="detected"),
        Verdict("violence", "low"),
        Verdict("protected_material_text", detail="detected, https://e.org/x, MIT"),
    )
    low = {"index": 0, "finish_reason": None, "content_filter_results": {"violence": {"severity": "low"}}}
    safe = {"index": 0, "finish_reason": None, "content_filter_results": {"violence": {"severity": "safe"}}}
    streamed, _ = read_stream(delta("t"), {"choices": [low]}, delta(finish="stop"), {"choices": [safe]})
    assert (streamed.text, streamed.filters) == ("t", (Verdict("violence", "low"),))


# ---- tool calls in pieces


def piece(index=..., ident=None, name=None, arguments=None):
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    call = {} if index is ... else {"index": index}
    return {**call, **({"id": ident} if ident is not None else {}), "function": function}


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([piece(0, "a", "f", '{"n"'), piece(0, None, None, ": 1}")], [("a", "f", '{"n": 1}')]),
        ([piece(..., "a", "f", '{"n"'), piece(..., None, None, ": 1}")], [("a", "f", '{"n": 1}')]),
        ([piece(None, "a", "f", '{"n"'), piece(None, "", None, ": 1}")], [("a", "f", '{"n": 1}')]),
        ([piece(0, "a", "f", "{}"), piece(0, "b", "g", "{}")], [("a", "f", "{}"), ("b", "g", "{}")]),
        ([piece(..., "a", "f", "{}"), piece(..., "b", "g", "{}")], [("a", "f", "{}"), ("b", "g", "{}")]),
        ([piece(..., None, "f", "{}"), piece(..., None, "g", "{}")], [(None, "f", "{}"), (None, "g", "{}")]),
        ([piece(0, 7, "f", {"n": 1})], [("7", "f", '{"n": 1}')]),
        (
            [piece(0, "a", "f", "{"), piece(1, "b", "g", "["), piece(0, "a", None, "}"), piece(1, None, None, "]")],
            [("a", "f", "{}"), ("b", "g", "[]")],
        ),
        ([piece(..., "a", "f", "{"), piece(..., "b", "g", "["), piece(..., "a", None, "}")], [("a", "f", "{}"), ("b", "g", "[")]),
    ],
)  # fmt: skip
def test_pieces_of_tool_calls_are_put_together(pieces, calls):
    response, _ = read_stream(*(delta(tool_calls=[part]) for part in pieces), delta(finish="tool_calls"))
    made = [(call.get("id"), call["function"]["name"], call["function"]["arguments"]) for call in response.tool_calls]
    assert made == calls


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


@given(JSON | CHOICES | CHAT_CHOICES)
def test_any_whole_body_gives_response_or_own_error(value):
    with only_our_errors():
        assert isinstance(parse_choices(value).text, str)

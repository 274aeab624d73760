"""A body of events: when it is complete, and what it leaves out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core.errors import ContentFilterError, ModelError, StreamInterruptedError
from azml_magics.core.wire.event_stream import EventStream
from azml_magics.core.wire.openai_choices import ChoicesEventReader

NO_END = "The stream ended without saying that the answer is complete."


def event(value) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()) + b"\n\n"


def delta(content=None, finish=None) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]})


DONE = event(b"[DONE]")


def read(*parts: bytes, is_whole: bool = True):
    stream = EventStream(ChoicesEventReader())
    chunks = [chunk for part in parts for chunk in stream.feed(part)]
    chunks += stream.close(is_whole=is_whole)
    return stream, "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize("end", [delta(finish="stop"), DONE, delta(finish="stop") + DONE])
@pytest.mark.parametrize("is_whole", [True, False])
def test_finish_reason_or_end_marker_completes_an_answer(end, is_whole):
    stream, text = read(delta("all"), end, is_whole=is_whole)
    assert stream.response.text == text == "all"
    assert stream.response.notices == ()
    assert stream.is_complete


def test_clean_end_without_a_marker_is_noticed():
    stream, _ = read(delta("all"))
    assert (stream.response.text, stream.response.finish_reason) == ("all", None)
    assert stream.response.notices == (NO_END,)


@pytest.mark.parametrize("parts", [(delta("all"),), (delta("all"), b'data: {"choi')])
def test_end_that_may_be_too_early_is_an_interruption(parts):
    with pytest.raises(StreamInterruptedError, match="before the response was complete"):
        read(*parts, is_whole=False)


@pytest.mark.parametrize(("parts", "kind"), [((), StreamInterruptedError), ((DONE,), ModelError), ((delta(""), delta("", "stop")), ModelError)])  # fmt: skip
def test_nothing_is_not_an_answer(parts, kind):
    with pytest.raises(kind):
        read(*parts)


def test_limit_reached_within_hidden_thoughts_is_an_answer():
    usage = {"completion_tokens": 64, "prompt_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 64}}
    stream, _ = read(delta("", "length"), event({"choices": [], "usage": usage}), DONE)
    assert (stream.response.text, stream.response.finish_reason) == ("", "length")


@pytest.mark.parametrize("tail", [event({"error": {"message": "late"}}), event(b"oops"), b'data: {"cut'])
def test_nothing_after_a_complete_answer_is_an_error(tail):
    stream, _ = read(delta("all"), delta(finish="stop"), tail)
    assert stream.response.text == "all"


def test_failure_before_the_end_is_an_error():
    with pytest.raises(ModelError, match="boom"):
        read(delta("half"), event({"error": {"message": "boom"}}))
    with pytest.raises(ContentFilterError):
        read(delta("half"), delta("", "content_filter"))


def test_bytes_that_are_not_utf8_are_noticed_once():
    bad = b'data: {"choices": [{"delta": {"content": "caf\xe9"}}]}\n\n'
    stream, text = read(bad, bad, delta(finish="stop"))
    assert text == "caf\ufffdcaf\ufffd"
    assert stream.response.notices == ("Some bytes of the response are not UTF-8: they show as \ufffd.",)


@given(st.data())
def test_any_split_gives_what_the_whole_body_gives(data):
    texts = data.draw(st.lists(st.sampled_from(["<think>", "</think>", "Hm.", "\n", "é🫧", "`", "<"]), max_size=6))
    body = b"".join(delta(text) for text in texts) + delta("end", "stop") + DONE
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=5)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole, _ = read(body)
    assert read(*pieces)[0].response == whole.response

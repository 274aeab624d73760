"""What all wire formats share: whole bodies are read by their first bytes."""

from __future__ import annotations

import json

import pytest

from azml_magics.core import wire
from azml_magics.core.client import invoke
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ModelError, StreamInterruptedError
from tests.core.captures.examples import EXAMPLES, check_error, check_response
from tests.core.captures.replay import check_in_pieces, config_of, splits_of
from tests.core.server import delta, event, reply

URL = "https://h.eastus2.models.ai.azure.com/v1/chat/completions"
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
EVENTS = event(delta("A")) + event(delta("B")) + event(STOP) + event(b"[DONE]")
OWN = [each for each in EXAMPLES if each.folder in {"chat", "score", "embeddings"} and each.status < 400]


def decode(body: bytes, **kwargs):
    config = LLMConfig(endpoint_url=URL, model_kwargs=kwargs)
    return wire.wire_for(config).decode(body, wire.Call(config, []))


def test_events_that_were_not_asked_for_are_read():
    assert decode(EVENTS).text == "AB"
    with pytest.raises(ModelError, match="empty text"):
        decode(event(b"[DONE]"))
    assert decode(event(delta("A"))).notices == ("The stream ended without saying that the answer is complete.",)
    with pytest.raises(StreamInterruptedError):
        decode(b": ping\n\n")


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
def test_whole_reply_is_read_whatever_its_label(server, config_of, content_type):
    server.respond_with(
        b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
        % (content_type.encode(), len(EVENTS), EVENTS)
    )
    assert invoke(config_of(), "Hi").text == "AB"


@pytest.mark.parametrize("status", [200, 201, 203])
def test_every_success_with_a_body_is_read(server, config_of, status):
    server.respond_with(reply({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}, status))
    assert invoke(config_of(), "Hi").text == "A"


def test_choices_say_where_they_come_from(server, config_of):
    choices = [{"index": at, "message": {"content": text}, "finish_reason": "stop"} for at, text in enumerate("ab")]
    server.respond_with(reply({"choices": choices}, x_request_id="r-7"))
    response = invoke(config_of(name="prod"), "Hi")
    assert [(each.text, each.config, each.request_id) for each in response.choices] == [
        ("a", "prod", "r-7"),
        ("b", "prod", "r-7"),
    ]


def test_declared_charset_is_heeded(server, config_of):
    body = json.dumps({"choices": [{"message": {"content": "café"}}]}, ensure_ascii=False).encode("latin-1")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=iso-8859-1\r\n"
    server.respond_with(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    response = invoke(config_of(), "Hi")
    assert (response.text, response.notices) == ("café", ())


def test_empty_answer_names_the_limit_that_the_call_set():
    body = {"choices": [{"message": {"content": ""}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 64, "completion_tokens_details": {"reasoning_tokens": 64}}}  # fmt: skip
    notice = "The answer is empty: all 64 tokens went into reasoning. Raise {}."
    encoded = json.dumps(body).encode()
    assert decode(encoded).notices == (notice.format("max_completion_tokens"),)
    assert decode(encoded, max_tokens=64).notices == (notice.format("max_tokens"),)


@pytest.mark.parametrize("example", OWN, ids=lambda each: each.file)
def test_documented_reply_is_read_whole(example):
    config = config_of(example)
    try:
        response = wire.wire_for(config).decode(example.body, wire.Call(config, []))
    except AzmlError as error:
        check_error(example, error)
    else:
        check_response(example, response)


@pytest.mark.parametrize("example", [each for each in OWN if each.folder != "embeddings"], ids=lambda each: each.file)
def test_documented_reply_is_read_alike_at_every_split(example):
    for pieces in splits_of(example.body):
        check_in_pieces(example, pieces)

"""Text Generation Inference: /generate and /generate_stream."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.response import Chunk, Usage
from azml_magics.core.wire import Call
from azml_magics.core.wire.sse import Event
from azml_magics.core.wire.tgi import TGIWire

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "Hugging Face TGI, /generate",
        "tgi",
        "https://tgi.eastus.inference.ml.azure.com/generate",
        {"max_new_tokens": 5},
        b'{"inputs":"Say {hi}","parameters":{"max_new_tokens":5}}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


def config(url: str) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter="tgi", key=None)


def read_event(value: object) -> Chunk | None:
    reader = TGIWire().event_reader(Call(config("https://t.eastus.inference.ml.azure.com/generate"), []))
    return reader.read(Event("message", json.dumps(value).encode()))


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_stream_uses_the_other_route(path):
    url = "https://t.eastus.inference.ml.azure.com" + path + "?a=1"
    base = "https://t.eastus.inference.ml.azure.com/generate"
    assert prepare(config(url), "Hi").request.url == base + "?a=1"
    assert prepare(config(url), "Hi", stream=True).request.url == base + "_stream?a=1"


@pytest.mark.parametrize("value", [{"generated_text": "t"}, [{"generated_text": "t"}]])
def test_text_of_response(value):
    assert TGIWire().parse_response(value).text == "t"


@pytest.mark.parametrize("value", [{"output": "t"}, {"choices": [{"text": "t"}]}])
def test_other_shapes_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError):
        TGIWire().parse_response(value)
    assert read_event(value) is None


def test_events_are_tokens():
    assert read_event(
        {"token": {"id": 1, "text": " a", "special": False}, "generated_text": None, "details": None}
    ) == Chunk(" a")
    last = {"token": {"text": "</s>", "special": True}, "generated_text": " a", "details": None}
    assert read_event(last) == Chunk(finish_reason="stop")
    counted = {"finish_reason": "length", "generated_tokens": 9}
    assert read_event({**last, "details": counted}) == Chunk(usage=Usage(None, 9, None), finish_reason="length")
    assert read_event({**last, "generated_text": ""}) == Chunk(finish_reason="stop")


def test_details_have_finish_reason_and_count():
    response = TGIWire().parse_response(
        {"generated_text": "t", "details": {"finish_reason": "length", "generated_tokens": 20}}
    )
    assert (response.finish_reason, response.usage) == ("length", Usage(None, 20, None))

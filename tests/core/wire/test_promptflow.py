"""Deployed prompt flows."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.response import Chunk
from azml_magics.core.wire.promptflow import PromptFlowWire
from azml_magics.core.wire.sse import Event

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"
CONFIG = LLMConfig(endpoint_url=DEDICATED, formatter="promptflow", key=None)

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "prompt flow: the flow's inputs",
        "promptflow",
        DEDICATED,
        {"top_k": 3},
        b'{"question":"Say {hi}","chat_history":[],"top_k":3}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


def read_event(value: object) -> Chunk | None:
    return PromptFlowWire().read_event(Event("message", json.dumps(value).encode()))


def test_conversation_becomes_chat_history():
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    request = prepare(CONFIG, turns, stream=True).request
    assert json.loads(request.body) == {
        "question": "Be brief.\n\nTwo?",
        "chat_history": [{"inputs": {"question": "One?"}, "outputs": {"answer": "1"}}],
    }
    assert request.headers["Accept"] == "text/event-stream"
    assert prepare(CONFIG, turns).request.headers["Accept"] == "application/json"


@pytest.mark.parametrize("value", [{"answer": "t"}, {"answer": "t", "context": ["u"]}, {"reply": "t"}])
def test_text_of_response(value):
    assert PromptFlowWire().parse_response(value).text == "t"


def test_events_are_outputs_of_the_flow():
    assert read_event({"answer": "Hello"}) == Chunk("Hello")
    assert read_event({"my_own_output": "Hello"}) == Chunk("Hello")
    assert read_event({"answer": ""}) == Chunk("")


@pytest.mark.parametrize("value", [{"a": "t", "b": "u"}, {"detail": "t"}, {"answer": 1}, {"choices": []}])
def test_other_events_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match="no text"):
        read_event(value)

"""Deployed prompt flows."""

from __future__ import annotations

import json
import re

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ModelError, ResponseFormatError, UnknownNameError, UsageError
from azml_magics.core.wire import Call, get
from azml_magics.core.wire.event_stream import EventStream
from azml_magics.core.wire.promptflow import PromptFlowWire

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


def reading(*values: object, output: str = ""):
    stream = EventStream(PromptFlowWire(output=output).event_reader(Call(CONFIG, [])))
    body = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)
    chunks = [*stream.feed(body), *stream.close()]
    return stream.response, [chunk.text for chunk in chunks if chunk.text]


def turn(role: str, content: str) -> dict:
    return {"role": role, "content": content}


def test_conversation_becomes_chat_history():
    turns = [turn("system", "Be brief."), turn("user", "One?"), turn("assistant", "1"), turn("user", "Two?")]
    request = prepare(CONFIG, turns, stream=True).request
    assert json.loads(request.body) == {
        "question": "Be brief.\n\nTwo?",
        "chat_history": [{"inputs": {"question": "One?"}, "outputs": {"answer": "1"}}],
    }


def test_stream_is_asked_for_from_flows_that_may_not_stream():
    assert prepare(CONFIG, "Hi", stream=True).request.headers["Accept"] == "text/event-stream, application/json"
    assert prepare(CONFIG, "Hi").request.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("turns", "pairs", "question"),
    [
        ([("user", "a"), ("user", "b"), ("assistant", "1"), ("user", "c")], [("a\n\nb", "1")], "c"),
        ([("assistant", "Hello!"), ("user", "a")], [("", "Hello!")], "a"),
        ([("user", "a"), ("assistant", "1"), ("assistant", "2"), ("user", "b")], [("a", "1"), ("", "2")], "b"),
        ([("user", "a"), ("assistant", "1"), ("user", "b"), ("user", "c")], [("a", "1")], "b\n\nc"),
        ([("user", "a"), ("assistant", "1")], [], "1"),
        ([], [], ""),
    ],
)
def test_history_pairs_messages_by_role(turns, pairs, question):
    call = Call(CONFIG, [turn(*each) for each in turns])
    body = json.loads(PromptFlowWire().encode(call).body)
    assert body["question"] == question
    history = [(pair["inputs"]["question"], pair["outputs"]["answer"]) for pair in body["chat_history"]]
    assert history[: len(pairs)] == pairs


def test_names_of_inputs_and_outputs_can_be_set():
    config = CONFIG.merged(formatter="promptflow(input=query, history=turns, output=reply)")
    turns = [turn("user", "One?"), turn("assistant", "1"), turn("user", "Two?")]
    assert json.loads(prepare(config, turns).request.body) == {
        "query": "Two?",
        "turns": [{"inputs": {"query": "One?"}, "outputs": {"reply": "1"}}],
    }
    assert get("promptflow(output=reply)").wires[0].parse_response({"answer": "u", "reply": "t"}).text == "t"


@pytest.mark.parametrize("name", ["promptflow(", "promptflow(output)", "promptflow(output=)", "promptflow(output=a"])
def test_options_that_cannot_be_read_are_refused(name):
    with pytest.raises(UsageError, match=re.escape("Write it as promptflow(input=NAME,history=NAME,output=NAME)")):
        get(name if name != "promptflow(" else "promptflow(a=")


def test_unknown_options_and_other_formatters_are_refused():
    with pytest.raises(UnknownNameError, match="output"):
        get("promptflow(outputs=a)")
    with pytest.raises(UnknownNameError):
        get("hf(output=a)")


@pytest.mark.parametrize(
    "value", [{"answer": "t"}, {"answer": "t", "context": ["u"]}, {"context": "u", "reply": "t"}, {"summary": "t"}]
)
def test_answer_is_told_from_other_outputs(value):
    response = PromptFlowWire().parse_response(value)
    assert (response.text, response.raw) == ("t", value)
    assert reading(value)[0].text == "t"


@pytest.mark.parametrize("other", ["CTX", ["CTX"], {"a": "CTX"}, None, 1])
def test_other_outputs_go_to_raw_first_or_last(other):
    for values in ([{"context": other}, {"answer": "He"}, {"answer": "y"}], [{"answer": "Hey"}, {"context": other}]):
        response, texts = reading(*values)
        assert "".join(texts) == response.text == "Hey"
        assert response.raw == {"context": other, "answer": "Hey"}
        assert response.finish_reason is None
        assert response.notices == ()


def test_only_output_is_the_answer_at_the_end():
    response, texts = reading({"summary": "He"}, {"summary": "y"})
    assert (response.text, texts) == ("Hey", ["Hey"])


def test_named_output_alone_is_the_answer():
    response, _ = reading({"answer": "no"}, {"verdict": "yes"}, output="verdict")
    assert response.text == "yes"


def test_outputs_of_which_none_is_the_answer_are_named():
    for read in (PromptFlowWire().parse_response, reading):
        with pytest.raises(ResponseFormatError, match=r"outputs are 'a', 'b'.*promptflow\(output=NAME\)"):
            read({"a": "t", "b": "u"})


@pytest.mark.parametrize("value", [{"detail": "t"}, {"code": "UserError", "message": "t"}, {"error": {"message": "t"}}])
def test_failures_of_a_flow_are_raised(value):
    with pytest.raises(ModelError, match="t"):
        reading(value)


def test_answer_that_is_not_a_text_is_json():
    assert PromptFlowWire().parse_response({"answer": {"n": 1}}).text == '{"n": 1}'

"""The chat class on the Responses API and on Anthropic's Messages API: everything that it does on chat routes."""

from __future__ import annotations

import base64
import json

import pytest
from langchain_core.load import dumps
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)
from pydantic import BaseModel

from azml_magics import errors
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint, messages_to_wire

from .conftest import whole

PATHS = {"responses": "/openai/v1/responses", "claude": "/anthropic/v1/messages"}
MODELS = {"responses": "gpt-5-mini", "claude": "claude-sonnet-4-6"}
THINKING = {
    "responses": {"reasoning_effort": "low", "reasoning_summary": "auto"},
    "claude": {"thinking": {"type": "adaptive"}},
}


class Weather(BaseModel):
    """The weather of a place."""

    place: str
    celsius: float


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture(params=list(PATHS))
def wire(request):
    """The name of the wire format."""
    return request.param


@pytest.fixture
def model(wire, endpoint):
    """A chat model on the wire format that its URL names."""
    return AzureMLChatOnlineEndpoint(endpoint_url=endpoint.url + PATHS[wire], model=MODELS[wire])


@pytest.fixture
def thinker(wire, endpoint):
    """The same, thinking."""
    return AzureMLChatOnlineEndpoint(
        endpoint_url=endpoint.url + PATHS[wire], model=MODELS[wire], model_kwargs=THINKING[wire]
    )


def turns_of(body):
    return body.get("input") or body["messages"]


async def test_whole_and_streamed_responses_agree(model, sent):
    messages = [SystemMessage("Be brief."), HumanMessage("Hello")]
    reply = model.invoke(messages)
    assert reply.content
    assert sent().get("instructions", sent().get("system")) == "Be brief."
    assert reply.usage_metadata["total_tokens"] > 0
    assert reply.response_metadata["model_provider"] == "azureml"
    assert reply.response_metadata["model_name"]
    assert reply.response_metadata["finish_reason"] == "stop"
    pieces = list(model.stream(messages))
    assert len(pieces) > 2
    assert sent()["stream"] is True
    for other in (whole(pieces), await model.ainvoke(messages)):
        assert other.content == reply.content
        assert other.usage_metadata["total_tokens"] == reply.usage_metadata["total_tokens"]
        assert other.response_metadata["model_name"] == reply.response_metadata["model_name"]
        assert other.response_metadata["finish_reason"] == "stop"


def test_text_class_works_too(wire, endpoint):
    llm = AzureMLOnlineEndpoint(endpoint_url=endpoint.url + PATHS[wire], model=MODELS[wire])
    assert "".join(llm.stream("Hello")) == llm.invoke("Hello")


def test_thoughts_stand_beside_the_content(thinker):
    reply, streamed = thinker.invoke("Hello"), whole(thinker.stream("Hello"))
    for message in (reply, streamed):
        thoughts = message.additional_kwargs["reasoning_content"]
        assert thoughts
        assert thoughts not in message.content
        assert message.usage_metadata["output_token_details"]["reasoning"] > 0
        if hasattr(message, "content_blocks"):  # langchain-core 1.x
            assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
            assert message.content_blocks[0]["reasoning"] == thoughts
    assert streamed.additional_kwargs["reasoning_content"] == reply.additional_kwargs["reasoning_content"]
    kinds = [[item["type"] for item in message.additional_kwargs["items"]] for message in (reply, streamed)]
    assert kinds[0] == kinds[1]


@pytest.mark.skipif(not hasattr(AIMessage, "content_blocks"), reason="langchain-core 1.x has content blocks")
def test_output_version_v1_makes_content_blocks(thinker, sent):
    blocks = AzureMLChatOnlineEndpoint(
        endpoint_url=thinker.endpoint_url, model=thinker.model, model_kwargs=thinker.model_kwargs, output_version="v1"
    )
    for message in (blocks.invoke("Hello"), whole(blocks.stream("Hello"))):
        assert [block["type"] for block in message.content] == ["reasoning", "text"]
    history = [HumanMessage("Hello"), blocks.invoke("Hello"), HumanMessage("And now?")]
    thinker.invoke(history)
    assert '"encrypted_content"' in json.dumps(sent()) or '"signature"' in json.dumps(sent())


@pytest.mark.parametrize("stored", ["as it is", "as dicts", "as JSON"])
def test_thoughts_go_back_in_the_next_turn(thinker, sent, stored):
    history = [HumanMessage("My name is Ada."), whole(thinker.stream("My name is Ada.")), HumanMessage("Who am I?")]
    if stored == "as dicts":
        history = messages_from_dict(json.loads(json.dumps(messages_to_dict(history))))
    if stored == "as JSON":
        history[1] = AIMessage.model_validate(
            json.loads(AIMessage(**history[1].model_dump(exclude={"type"})).model_dump_json())
        )
    kept = history[1].additional_kwargs["items"]
    assert kept
    thinker.invoke(history)
    secret = kept[0].get("encrypted_content") or kept[0]["signature"]
    assert secret in json.dumps(turns_of(sent()))


def test_changed_message_goes_back_as_it_reads_now(thinker, sent):
    reply = thinker.invoke("My name is Ada.")
    reply.content = "[removed]"
    thinker.invoke([HumanMessage("My name is Ada."), reply, HumanMessage("And now?")])
    assert turns_of(sent())[1] == {"role": "assistant", "content": "[removed]"}


def test_thoughts_do_not_go_to_another_wire(thinker, chat, sent):
    history = [HumanMessage("Hello"), thinker.invoke("Hello"), HumanMessage("And now?")]
    chat.invoke(history)
    assert all(message.keys() == {"role", "content"} for message in sent()["messages"])
    body = chat.content_formatter.format_messages_request_payload(history, {}, "serverless")
    assert b"items" not in body


async def test_tool_calls_and_results_round_trip(model, sent):
    bound = model.bind_tools([add], tool_choice="any")
    asked = HumanMessage("What is 2 + 3?")
    replies = [bound.invoke([asked]), whole(bound.stream([asked])), await bound.ainvoke([asked])]
    for reply in replies:
        (call,) = reply.tool_calls
        assert call["name"] == "add"
        assert set(call["args"]) == {"a", "b"}
        assert call["id"]
        assert reply.response_metadata["finish_reason"] == "tool_calls"
        result = ToolMessage("5", tool_call_id=call["id"])
        assert model.bind_tools([add]).invoke([asked, reply, result]).content
        assert json.dumps(turns_of(sent())).count(call["id"]) >= 2


@pytest.mark.parametrize("tool_choice", [None, "auto", "add", True, "none"])
def test_every_tool_choice_is_taken(model, tool_choice):
    assert model.bind_tools([add], tool_choice=tool_choice).invoke("What is 2 + 3?")


@pytest.mark.parametrize("strict", [None, True, False])
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
async def test_structured_output_is_an_object(model, method, strict):
    asked = model.with_structured_output(Weather, method=method, strict=strict)
    assert isinstance(asked.invoke("The weather in Lisbon?"), Weather)
    assert isinstance(await asked.ainvoke("The weather in Lisbon?"), Weather)
    assert list(asked.stream("The weather in Lisbon?"))[-1] == asked.invoke("The weather in Lisbon?")
    raw = model.with_structured_output(Weather.model_json_schema(), method=method, include_raw=True)
    found = raw.invoke("The weather in Lisbon?")
    assert set(found["parsed"]) == {"place", "celsius"}
    assert isinstance(found["raw"], AIMessage)


def test_json_mode_gives_an_object(model):
    asked = model.with_structured_output(Weather, method="json_mode", include_raw=True)
    found = asked.invoke('Answer {"place": "Lisbon", "celsius": 20} in JSON.')
    assert isinstance(found["raw"], AIMessage)


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 40).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + b"0" * 40).decode()


def test_images_and_documents_are_sent(model, wire, sent):
    model.invoke(
        [
            HumanMessage(
                [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "base64": PNG, "mime_type": "image/png"},
                    {"type": "image", "url": "https://example.org/cat.png"},
                    {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"},
                ]
            )
        ]
    )
    kinds = [part["type"] for part in turns_of(sent())[0]["content"]]
    expected = {
        "responses": ["input_text", "input_image", "input_image", "input_file"],
        "claude": ["text", "image", "image", "document"],
    }
    assert kinds == expected[wire]
    assert PDF in json.dumps(turns_of(sent()))


SOUND = {"type": "audio", "base64": base64.b64encode(b"RIFF").decode(), "mime_type": "audio/wav"}


def test_audio_goes_to_the_wire_or_is_refused_in_one_line(model, wire, sent, chat):
    message = HumanMessage([{"type": "text", "text": "What is said?"}, SOUND])
    chat.invoke([message])
    assert sent()["messages"][0]["content"][1]["type"] == "input_audio"
    words = {"claude": "takes no audio", "responses": "Invalid value: 'input_audio'"}  # the former is not sent
    with pytest.raises(errors.AzmlError, match=words[wire]):
        model.invoke([message])


def test_file_by_its_address_is_sent(model, wire, sent):
    model.invoke([HumanMessage([{"type": "file", "url": "https://example.org/a.pdf", "mime_type": "application/pdf"}])])
    (part,) = turns_of(sent())[0]["content"]
    assert "https://example.org/a.pdf" in json.dumps(part)


def test_tools_of_the_server_are_sent_as_they_are(chat, sent):
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    bound = chat.bind_tools([tool, add])
    assert bound.kwargs["tools"][0] == tool
    assert bound.kwargs["tools"][1]["function"]["name"] == "add"


def test_text_class_has_thoughts_beside_the_text(wire, endpoint):
    llm = AzureMLOnlineEndpoint(
        endpoint_url=endpoint.url + PATHS[wire], model=MODELS[wire], model_kwargs=THINKING[wire]
    )
    generation = llm.generate(["Hello"]).generations[0][0]
    assert generation.generation_info["reasoning_content"]
    assert generation.generation_info["reasoning_content"] not in generation.text


def test_model_survives_dumps(model):
    assert MODELS["responses"] in dumps(model) or MODELS["claude"] in dumps(model)


def test_messages_to_wire_keep_items():
    items = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Hi"}]
    message = AIMessage("Hi", additional_kwargs={"items": items})
    assert messages_to_wire([message]) == [{"role": "assistant", "content": "Hi", "items": items}]

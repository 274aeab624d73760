"""Tools and structured output."""

from __future__ import annotations

import contextlib
from typing import TypedDict

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from azml_magics import errors

from .conftest import whole


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


@tool
def convert(amount: float, currency: str) -> str:
    """Convert an amount of money."""
    return f"{amount} {currency}"


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="how it begins")
    punchline: str = Field(description="how it ends")


class JokeDict(TypedDict):
    """A joke."""

    setup: str
    punchline: str


JOKE_SCHEMA = {
    "title": "Joke",
    "description": "A joke.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
    "required": ["setup", "punchline"],
}


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("any", "required"),
        (True, "required"),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
        ({"type": "function", "function": {"name": "weather"}}, {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_each_tool_choice_is_normalized(chat, sent, choice, wire):
    chat.bind_tools([weather, convert], tool_choice=choice).invoke("Hi")
    assert sent()["tool_choice"] == wire


@pytest.mark.parametrize("choice", [None, False])
def test_no_tool_choice_is_not_sent(chat, sent, choice):
    chat.bind_tools([weather], tool_choice=choice, parallel_tool_calls=False).invoke("Hi")
    assert "tool_choice" not in sent()
    assert sent()["parallel_tool_calls"] is False
    assert sent()["tools"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("wether", "tool_choice names 'wether', which is not one of the tools. Did you mean 'weather'?"),
        ({"type": "function", "function": {"name": "x"}}, "tool_choice names 'x'"),
        (3, "tool_choice cannot be int"),
    ],
)
def test_unknown_tool_choice_raises_config_error(chat, choice, said):
    with pytest.raises(errors.ConfigError) as caught:
        chat.bind_tools([weather], tool_choice=choice)
    assert said in str(caught.value)


@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_sent(chat, sent, strict):
    chat.bind_tools([weather], strict=strict).invoke("Hi")
    assert sent()["tools"][0]["function"]["strict"] is strict


async def test_tool_result_leads_to_a_response(chat):
    model = chat.bind_tools([weather, convert])
    question = HumanMessage("What is the weather in Paris?")
    asked = model.invoke([question])
    call = asked.tool_calls[0]
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris"})
    assert asked.response_metadata["finish_reason"] == "tool_calls"
    result = weather.invoke(call)
    assert isinstance(result, ToolMessage)
    assert "Rain in Paris." in model.invoke([question, asked, result]).content
    for streamed in (
        whole(model.stream([question])),
        whole([chunk async for chunk in model.astream([question])]),
    ):
        assert [(made["name"], made["args"]) for made in streamed.tool_calls] == [("weather", {"city": "Paris"})]
        assert streamed.tool_calls[0]["id"] == call["id"]


def test_tool_call_streams_in_chunks(chat):
    pieces = [
        piece
        for chunk in chat.bind_tools([weather], tool_choice="any").stream("Weather in Paris?")
        for piece in chunk.tool_call_chunks
    ]
    assert len(pieces) > 2
    assert {piece["index"] for piece in pieces} == {0}
    assert [piece["name"] for piece in pieces if piece["name"]] == ["weather"]


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("schema", [Joke, JokeDict, JOKE_SCHEMA], ids=["pydantic", "TypedDict", "JSON schema"])
async def test_structured_output_returns_an_object(chat, method, schema):
    model = chat.with_structured_output(schema, method=method)
    for joke in (model.invoke("Tell a joke about cats."), await model.ainvoke("Tell a joke about cats.")):
        assert isinstance(joke, Joke if schema is Joke else dict)
        told = joke.model_dump() if schema is Joke else joke
        assert sorted(told) == ["punchline", "setup"]


@pytest.mark.parametrize("strict", [None, True, False])
def test_json_schema_is_sent_with_name_and_strict(chat, sent, strict):
    chat.with_structured_output(JOKE_SCHEMA, method="json_schema", strict=strict).invoke("Tell a joke.")
    described = sent()["response_format"]["json_schema"]
    assert described["name"] == "Joke"
    assert sorted(described["schema"]["properties"]) == ["punchline", "setup"]
    assert described.get("strict") is strict
    assert "ls_structured_output_format" not in sent()


def test_json_mode_requests_and_parses_json(chat, sent):
    model = chat.with_structured_output(method="json_mode")
    told = model.invoke("Answer in JSON with the keys 'setup' and 'punchline'.")
    assert sent()["response_format"] == {"type": "json_object"}
    assert sorted(told) == ["punchline", "setup"]
    model = chat.with_structured_output(Joke, method="json_mode")
    assert isinstance(model.invoke("Answer in JSON with the keys 'setup' and 'punchline'."), Joke)


def test_include_raw_returns_message_and_object(chat):
    told = chat.with_structured_output(Joke, include_raw=True).invoke("Tell a joke.")
    assert isinstance(told["parsed"], Joke)
    assert told["raw"].tool_calls
    assert told["parsing_error"] is None


def test_include_raw_keeps_unparsable_message(chat):
    class Strict(BaseModel):
        """A number that no answer has."""

        setup: str = Field(pattern="^never$")

    told = chat.with_structured_output(Strict, include_raw=True, method="json_mode").invoke(
        "Answer in JSON with the key 'setup'."
    )
    assert told["parsed"] is None
    assert "Strict" in str(told["parsing_error"])


def test_unknown_method_raises_error(chat):
    with pytest.raises(errors.UnknownNameError, match="No structured output method named 'json_shema'"):
        chat.with_structured_output(Joke, method="json_shema")
    with pytest.raises(errors.ConfigError, match="needs a schema"):
        chat.with_structured_output()


@pytest.mark.parametrize(
    "asked",
    [
        lambda chat: chat.bind_tools([weather]),
        lambda chat: chat.with_structured_output(Joke),
        lambda chat: chat.with_structured_output(Joke, method="json_schema"),
        lambda chat: chat.with_structured_output(method="json_mode"),
    ],
    ids=["tools", "function_calling", "json_schema", "json_mode"],
)
def test_tools_are_sent_on_any_route(score_chat, sent, asked):
    with contextlib.suppress(ValueError):  # the emulator's text on /score is not JSON
        asked(score_chat).invoke("Hi")
    assert {"tools", "response_format"} & set(sent()["input_data"]["parameters"])

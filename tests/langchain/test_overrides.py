"""Every method and attribute that a subclass of the original could override is heeded, whole and streamed."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from pydantic import field_validator, model_validator

from azml_magics import langchain
from azml_magics.langchain import (
    AzureMLChatOnlineEndpoint,
    AzureMLEndpointApiType,
    AzureMLEndpointClient,
    AzureMLOnlineEndpoint,
)

from .conftest import KEY, whole

CHAT = "/v1/chat/completions"


@pytest.fixture
def chat_with(endpoint):
    """`chat_with(formatter)` is a chat model on an OpenAI-like route."""

    def make(formatter, route=CHAT, **fields):
        return AzureMLChatOnlineEndpoint(endpoint_url=endpoint.url + route, content_formatter=formatter, **fields)

    return make


# ---- formatters ----------------------------------------------------------------------------------------------


class Polite(langchain.CustomOpenAIChatContentFormatter):
    """Overrides how a message becomes a dict."""

    @staticmethod
    def _convert_message_to_dict(message):
        return {"role": "user", "content": f"Please: {message.content}"}


class PoliteMistral(langchain.MistralChatContentFormatter):
    """The same for models without a system role."""

    def _convert_message_to_dict(self, message):
        return {**super()._convert_message_to_dict(message), "content": f"Please: {message.content}"}


@pytest.mark.parametrize("formatter", [Polite(), PoliteMistral()], ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("route", [CHAT, "/score"])
async def test_convert_message_to_dict_is_called(chat_with, sent, formatter, route):
    chat = chat_with(formatter, route)
    calls = (
        lambda: chat.invoke("Hi"),
        lambda: list(chat.stream("Hi")),
        lambda: formatter.format_messages_request_payload([HumanMessage("Hi")], {}),
    )
    for call in calls[:2]:
        call()
        messages = sent()["messages"] if route == CHAT else sent()["input_data"]["input_string"]
        assert messages == [{"role": "user", "content": "Please: Hi"}]
    assert b"Please: Hi" in calls[2]()
    await chat.ainvoke("Hi")
    assert "Please: Hi" in str(sent())


class Framed(langchain.CustomOpenAIChatContentFormatter):
    """Overrides how the request is written, with the help of super()."""

    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        framed = [SystemMessage("Be brief."), *messages]
        return super().format_messages_request_payload(framed, {**model_kwargs, "seed": 7}, api_type)


class ByHand(langchain.CustomOpenAIChatContentFormatter):
    """Overrides how the request is written, by hand."""

    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        dicts = [{"role": "system", "content": "Be brief."}, *map(self._convert_message_to_dict, messages)]
        return json.dumps({"messages": dicts, "seed": 7, **model_kwargs}).encode()


@pytest.mark.parametrize("formatter", [Framed(), ByHand()], ids=lambda f: type(f).__name__)
async def test_subclass_that_writes_the_request_streams(chat_with, sent, formatter):
    chat = chat_with(formatter)
    pieces = list(chat.stream("Hi"))
    assert len(pieces) > 2
    assert sent()["stream"] is True
    assert (sent()["seed"], sent()["messages"][0]["content"]) == (7, "Be brief.")
    full = whole(pieces)
    assert full.content
    assert full.usage_metadata["output_tokens"] > 0
    assert whole([piece async for piece in chat.astream("Hi")]).content == full.content == chat.invoke("Hi").content
    assert "stream" not in sent()


class Wrapped(langchain.CustomOpenAIContentFormatter):
    """A text formatter that writes the request."""

    def format_request_payload(self, prompt, model_kwargs, api_type):
        return super().format_request_payload(f"<<{prompt}>>", model_kwargs, api_type)


def test_text_subclass_that_writes_the_request_streams(endpoint, sent):
    llm = AzureMLOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/completions", content_formatter=Wrapped())
    assert len(list(llm.stream("Hi"))) > 2
    assert (sent()["prompt"], sent()["stream"]) == ("<<Hi>>", True)


class Shouting(langchain.CustomOpenAIChatContentFormatter):
    """Overrides how the response is read, which needs it whole."""

    def format_response_payload(self, output, api_type=AzureMLEndpointApiType.dedicated):
        generation = super().format_response_payload(output, api_type)
        return ChatGeneration(message=AIMessage(generation.message.content.upper()))


def test_subclass_that_reads_the_response_gets_the_conversation(chat_with, sent):
    chat = chat_with(Shouting(), system="Be brief.")
    messages = [HumanMessage("Hi"), AIMessage("Ho"), HumanMessage("Hum")]
    reply = chat.invoke(messages).content
    assert reply == reply.upper() != reply.lower()
    assert [message["content"] for message in sent()["messages"]] == ["Be brief.", "Hi", "Ho", "Hum"]
    assert [piece.content for piece in chat.stream(messages) if piece.content] == [reply]


class Plain(langchain.ContentFormatterBase):
    """A formatter of the user's own for chat models."""

    supported_api_types = (AzureMLEndpointApiType.dedicated, AzureMLEndpointApiType.serverless)

    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        dicts = [{"role": {"human": "user"}.get(m.type, m.type), "content": m.content} for m in messages]
        return json.dumps({"messages": dicts, **model_kwargs}).encode()

    def format_response_payload(self, output, api_type):
        return ChatGeneration(message=AIMessage(json.loads(output)["choices"][0]["message"]["content"]))


def test_system_message_reaches_formatters_of_ones_own(chat_with, sent):
    chat_with(Plain(), system="Be brief.").invoke("Hi")
    assert [message["role"] for message in sent()["messages"]] == ["system", "user"]
    chat_with(Plain(), system="Be brief.").invoke([SystemMessage("Be long."), HumanMessage("Hi")])
    assert [message["content"] for message in sent()["messages"]] == ["Be long.", "Hi"]


class Labelled(langchain.CustomOpenAIChatContentFormatter):
    """Overrides attributes alone."""

    content_type = "application/json; charset=utf-8"
    accepts = "application/json; q=1"
    format_error_msg = "Not my model ({api_type})"


def test_attributes_of_a_subclass_are_used(chat_with, endpoint):
    chat = chat_with(Labelled())
    chat.invoke("Hi")
    headers = endpoint.requests[-1].headers
    assert (headers["content-type"], headers["accept"]) == (Labelled.content_type, Labelled.accepts)
    wrong = chat_with(Labelled(), "/score", http_client=FakeClient(b'{"unexpected": 1}'))
    with pytest.raises(ValueError, match=r"Not my model .*dedicated"):
        wrong.invoke("Hi")


def test_supported_api_types_of_a_subclass_are_used():
    class Anywhere(langchain.GPT2ContentFormatter):
        @property
        def supported_api_types(self):
            return [AzureMLEndpointApiType.serverless]

    assert AzureMLOnlineEndpoint(endpoint_api_type="serverless", content_formatter=Anywhere())
    with pytest.raises(ValueError, match="works with serverless"):
        AzureMLOnlineEndpoint(endpoint_api_type="dedicated", content_formatter=Anywhere())


def test_error_of_a_users_method_is_a_value_error(chat_with):
    class Broken(langchain.CustomOpenAIChatContentFormatter):
        def format_response_payload(self, output, api_type):
            raise KeyError("mine")

    with pytest.raises(ValueError, match="raised KeyError: 'mine'") as caught:
        chat_with(Broken()).invoke("Hi")
    assert isinstance(caught.value.__cause__, KeyError)


# ---- clients -------------------------------------------------------------------------------------------------


class FakeClient:
    """Answers by itself."""

    def __init__(self, reply):
        self.reply = reply

    def call(self, body, run_manager=None):
        return self.reply


class Logging(AzureMLEndpointClient):
    """A subclass of the client."""

    bodies: list = []  # noqa: RUF012 - the test reads it

    def call(self, body, run_manager=None, **kwargs):
        self.bodies.append(body)
        return super().call(body, run_manager, **kwargs)


def test_client_subclass_sends_also_when_assigned_later(endpoint, llm):
    llm.http_client = Logging(f"{endpoint.url}/score", KEY)
    assert "Hello!" in llm.invoke("Hi")
    assert b'"Hi"' in Logging.bodies[-1]


# ---- models --------------------------------------------------------------------------------------------------


def test_generate_stream_and_params_of_a_model_subclass_are_used():
    class Text(AzureMLOnlineEndpoint):
        @property
        def _llm_type(self):
            return "mine"

        @property
        def _identifying_params(self):
            return {"mine": 1}

        def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
            return LLMResult(generations=[[Generation(text=f"{prompt}!")] for prompt in prompts])

    class Chat(AzureMLChatOnlineEndpoint):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            return ChatResult(generations=[ChatGeneration(message=AIMessage("mine"))])

        def _stream(self, messages, stop=None, run_manager=None, **kwargs):
            yield from ()

    assert Text().invoke("Hi") == "Hi!"
    assert "{'mine': 1}" in str(Text())
    assert Text()._dict_for_compat() == {"mine": 1, "_type": "mine"}
    assert Chat(disable_streaming=True).invoke("Hi").content == "mine"


def test_saved_document_has_a_subclass_params(tmp_path):
    class Text(AzureMLOnlineEndpoint):
        @property
        def _identifying_params(self):
            return {**super()._identifying_params, "mine": 1}

    Text(deployment_name="blue", content_formatter="gpt2").save(tmp_path / "a.json")
    saved = json.loads((tmp_path / "a.json").read_text())
    assert saved == {"deployment_name": "blue", "model_kwargs": {}, "mine": 1, "_type": "azureml_endpoint"}


def test_validators_of_a_model_subclass_are_called(endpoint):
    class Mine(AzureMLOnlineEndpoint):
        @model_validator(mode="before")
        @classmethod
        def validate_environ(cls, values):
            return {**values, "deployment_name": "mine"}

        @field_validator("endpoint_url", mode="after")
        @classmethod
        def validate_endpoint_url(cls, value):
            return f"{value}/score"

        @field_validator("endpoint_api_type")
        @classmethod
        def validate_endpoint_api_type(cls, value):
            return AzureMLEndpointApiType.realtime

        @field_validator("content_formatter")
        @classmethod
        def validate_content_formatter(cls, value):
            return langchain.GPT2ContentFormatter()

        @field_validator("http_client")
        @classmethod
        def validate_client(cls, value):
            return FakeClient(b'[{"0": "mine"}]')

    model = Mine(endpoint_url=endpoint.url, content_formatter="openai")
    assert (model.endpoint_url, model.deployment_name) == (f"{endpoint.url}/score", "mine")
    assert model.endpoint_api_type is AzureMLEndpointApiType.realtime
    assert isinstance(model.http_client, FakeClient)
    assert model.invoke("Hi") == "mine"

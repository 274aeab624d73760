"""Formatters of one's own, of every make, in both model classes."""

from __future__ import annotations

import io
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation

import azml_magics
from azml_magics import errors, langchain
from azml_magics.core import wire
from azml_magics.langchain import AzureMLEndpointApiType, AzureMLOnlineEndpoint, ContentFormatterBase
from azml_magics.langchain.formatter_adapter import get_registered_name, takes_messages, to_wire_formatter


class TwoArguments(ContentFormatterBase):
    """As the documentation page shows it: no api_type, and a str comes back."""

    def format_request_payload(self, prompt, model_kwargs):
        return json.dumps({"inputs": [prompt], "parameters": {"return_full_text": False, **model_kwargs}}).encode()

    def format_response_payload(self, output):
        return json.loads(output)[0]["0"]["generated_text"]


class ThreeArguments(ContentFormatterBase):
    """With api_type, and a Generation comes back."""

    content_type = "application/json; charset=utf-8"
    accepts = "application/json; q=1"
    seen = None

    @property
    def supported_api_types(self):
        return [AzureMLEndpointApiType.dedicated, AzureMLEndpointApiType.serverless]

    def format_request_payload(self, prompt, model_kwargs, api_type):
        type(self).seen = api_type
        return io.BytesIO(json.dumps({"input_data": [prompt], "params": model_kwargs}).encode())

    def format_response_payload(self, output, api_type):
        assert isinstance(api_type, AzureMLEndpointApiType)
        return Generation(text=json.loads(output)[0], generation_info={"mine": True})


class NoBase:
    """No base class at all; dicts both ways."""

    def format_request_payload(self, prompt, model_kwargs, api_type=None):
        return {"inputs": prompt, "parameters": {"return_full_text": False}}

    def format_response_payload(self, output, api_type=None):
        return json.loads(output)


class Shouting(langchain.GPT2ContentFormatter):
    """Changes one half of a formatter of ours."""

    def format_response_payload(self, output, api_type):
        return super().format_response_payload(output, api_type).text.upper()


class Wrapping(langchain.CustomOpenAIContentFormatter):
    """Changes the other half."""

    def format_request_payload(self, prompt, model_kwargs, api_type):
        return super().format_request_payload(f"<<{prompt}>>", model_kwargs, api_type)


@pytest.fixture
def llm_with(endpoint):
    """`llm_with(formatter)` is a text model on /score."""
    return lambda formatter, route="/score", **fields: AzureMLOnlineEndpoint(
        endpoint_url=endpoint.url + route, content_formatter=formatter, **fields
    )


@pytest.mark.parametrize("formatter", [TwoArguments(), ThreeArguments(), NoBase()], ids=lambda f: type(f).__name__)
async def test_custom_formatter_encodes_and_decodes(llm_with, formatter):
    llm = llm_with(formatter, model_kwargs={"max_new_tokens": 20})
    answer = llm.invoke("Name a cloud.")
    assert "not a language model" in answer
    assert await llm.ainvoke("Name a cloud.") == answer
    assert list(llm.stream("Name a cloud.")) == [answer]
    assert [piece async for piece in llm.astream("Name a cloud.")] == [answer]
    assert llm.batch(["Name a cloud."] * 2) == [answer] * 2


def test_custom_formatter_keeps_headers_and_generation(llm_with, endpoint):
    llm = llm_with(ThreeArguments(), endpoint_api_type="realtime")
    made = llm.generate(["Hi"]).generations[0][0]
    assert made.generation_info == {"mine": True}
    assert endpoint.requests[-1].headers["content-type"] == "application/json; charset=utf-8"
    assert endpoint.requests[-1].headers["accept"] == "application/json; q=1"
    assert ThreeArguments.seen is AzureMLEndpointApiType.realtime


def test_subclass_keeps_what_it_does_not_override(llm_with, sent):
    assert "HELLO!" in llm_with(Shouting()).invoke("Hi", return_full_text=False)
    assert sent() == {"inputs": {"input_string": ["Hi"]}, "parameters": {"return_full_text": False}}
    wrapping = llm_with(Wrapping(), "/v1/completions", endpoint_api_type="serverless")
    assert wrapping.generate(["Hi"], max_tokens=4).generations[0][0].generation_info["finish_reason"] == "length"
    assert sent() == {"prompt": "<<Hi>>", "max_tokens": 4}


def test_method_set_on_the_instance_counts_as_override(llm_with, sent):
    formatter = langchain.GPT2ContentFormatter()
    formatter.format_request_payload = lambda prompt, kwargs: json.dumps({"inputs": {"input_string": [prompt + "!"]}})
    llm_with(formatter).invoke("Hi")
    assert sent() == {"inputs": {"input_string": ["Hi!"]}}


def test_base_url_gets_the_route_of_its_type(llm_with, endpoint):
    with pytest.raises(errors.AzmlError):
        llm_with(ThreeArguments(), "", endpoint_api_type="serverless").invoke("Hi")
    assert endpoint.requests[-1].path == "/completions"
    llm_with(ThreeArguments(), "").invoke("Hi")
    assert endpoint.requests[-1].path == "/score"


class Chatty(ContentFormatterBase):
    """A chat formatter: it wants LangChain's own messages."""

    def __init__(self):
        self.given = None

    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        self.given = messages
        turns = [{"role": "user", "content": str(message.additional_kwargs["secret"])} for message in messages]
        return json.dumps({"input_data": {"input_string": turns, "parameters": model_kwargs}})

    def format_response_payload(self, output, api_type):
        told = AIMessage(json.loads(output)["output"], additional_kwargs={"mine": 1})
        return ChatGeneration(message=told, generation_info={"finish_reason": "mine"})


def test_chat_formatter_gets_langchain_messages_unchanged(endpoint):
    formatter = Chatty()
    chat = langchain.AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter=formatter)
    # A block that no wire knows: what becomes of it is the formatter's business.
    asked = [HumanMessage([{"type": "image"}], additional_kwargs={"secret": "Hi"}, id="7")]
    answer = chat.invoke(asked)
    assert formatter.given == asked
    assert answer.additional_kwargs == {"mine": 1}
    assert answer.response_metadata["finish_reason"] == "mine"
    chunk = next(chat.stream(asked))
    assert (chunk.content, chunk.additional_kwargs) == (answer.content, {"mine": 1})


def test_text_formatter_works_in_the_chat_class(endpoint, sent):
    chat = langchain.AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/score", content_formatter=TwoArguments())
    assert "Hello!" in chat.invoke("Hi").content
    assert sent()["inputs"] == ["Hi"]


def test_registered_name_works_as_formatter(llm_with, sent):
    azml_magics.register_formatter("two-arguments", TwoArguments)
    llm = llm_with("two-arguments")
    assert "Hello!" in llm.invoke("Hi")
    assert sent()["inputs"] == ["Hi"]
    assert "Hello!" in llm_with("mlflow").invoke("Hi", return_full_text=False)
    assert sent()["input_data"] == ["Hi"]


@pytest.mark.parametrize(
    ("formatter", "said"),
    [
        (lambda self, prompt, kwargs: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda self, prompt, kwargs: 3, "returned int, which is not a request body"),
    ],
)
def test_formatter_that_raises_gives_formatter_error(llm_with, endpoint, formatter, said):
    made = type(
        "Raises",
        (ContentFormatterBase,),
        {"format_request_payload": formatter, "format_response_payload": lambda self, output: ""},
    )
    with pytest.raises(errors.FormatterError) as caught:
        llm_with(made()).invoke("Hi")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not endpoint.requests


def test_formatter_that_cannot_decode_gives_formatter_error(llm_with):
    class Reads(TwoArguments):
        def format_response_payload(self, output):
            return json.loads(output)["nothing"]

    with pytest.raises(errors.FormatterError, match="format_response_payload raised TypeError"):
        llm_with(Reads()).invoke("Hi")


def test_supported_api_types_of_a_custom_formatter_are_checked():
    class Anywhere(langchain.GPT2ContentFormatter):
        @property
        def supported_api_types(self):
            return [AzureMLEndpointApiType.serverless]

    AzureMLOnlineEndpoint(endpoint_api_type="serverless", content_formatter=Anywhere())
    with pytest.raises(ValueError, match="works with serverless endpoints, and this one is dedicated"):
        AzureMLOnlineEndpoint(endpoint_api_type="dedicated", content_formatter=Anywhere())


def test_own_formatters_map_to_the_cores():
    assert to_wire_formatter(langchain.HFContentFormatter()) is wire.get("hf")
    assert to_wire_formatter(wire.get("tgi")) is wire.get("tgi")
    assert to_wire_formatter(None) is None
    assert get_registered_name(langchain.MistralChatContentFormatter()) == "mistral-chat"
    assert (get_registered_name(Shouting()), get_registered_name(None), get_registered_name("tgi")) == ("", "", "tgi")


def test_takes_messages_is_true_for_chat_formatters():
    assert takes_messages(langchain.CustomOpenAIChatContentFormatter())
    assert takes_messages(wire.get("promptflow"))
    assert takes_messages(Chatty())
    assert not takes_messages(langchain.DollyContentFormatter())
    assert not takes_messages(TwoArguments())

"""The chat class: roles, streams, parts, thoughts; sync and async."""

from __future__ import annotations

import langchain_core
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField

from azml_magics import errors, langchain
from azml_magics.emulator import Fault

from .conftest import whole
from .test_llm import Tokens, gathered


def test_message_has_usage_and_metadata(chat):
    answer = chat.invoke([SystemMessage("You are a pirate."), HumanMessage("Name a river.")])
    assert isinstance(answer, AIMessage)
    assert answer.content in {"The Danube", "The Mekong", "The Tagus"}
    assert answer.usage_metadata["total_tokens"] == (
        answer.usage_metadata["input_tokens"] + answer.usage_metadata["output_tokens"]
    )
    metadata = answer.response_metadata
    assert (metadata["model_name"], metadata["finish_reason"]) == ("azml-magics-demo", "stop")
    assert (metadata["deployment"], bool(metadata["request_id"])) == ("blue", True)


async def test_sync_async_and_streams_agree(chat):
    answer = chat.invoke("Name a cloud.")
    assert (await chat.ainvoke("Name a cloud.")).content == answer.content
    full = whole(chat.stream("Name a cloud."))
    assert full.content == answer.content
    assert whole([chunk async for chunk in chat.astream("Name a cloud.")]).content == answer.content
    assert full.usage_metadata == answer.usage_metadata
    for key in ("model_name", "finish_reason", "deployment"):
        assert full.response_metadata[key] == answer.response_metadata[key]


@pytest.mark.parametrize(
    "route", ["/chat/completions", "/v1/chat/completions", "/openai/v1/chat/completions", "/models/chat/completions"]
)
async def test_last_chunk_has_usage_and_finish_reason(endpoint, route):
    chat = langchain.AzureMLChatOnlineEndpoint(endpoint_url=endpoint.url + route, model="demo", max_tokens=6)
    from_sync = list(chat._stream([HumanMessage("Hi")]))
    from_async = [chunk async for chunk in chat._astream([HumanMessage("Hi")])]
    for chunks in (from_sync, from_async):
        *pieces, last = chunks
        assert len(pieces) >= 5
        assert all(piece.message.content and not piece.message.usage_metadata for piece in pieces)
        assert last.message.usage_metadata["output_tokens"] == 6
        assert last.generation_info["finish_reason"] == "length"
        assert last.message.response_metadata["model_name"] == "demo"


def test_conversation_is_sent_with_roles(chat, sent):
    chat.invoke(
        [
            SystemMessage("Be brief."),
            HumanMessage("Hi", name="ann"),
            AIMessage("Hello"),
            HumanMessage("Well?"),
        ]
    )
    assert sent()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi", "name": "ann"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Well?"},
    ]


def test_system_message_of_the_conversation_wins(chat, sent):
    chat.system = "Be brief."
    chat.invoke("Hi")
    assert sent()["messages"][0] == {"role": "system", "content": "Be brief."}
    chat.invoke([SystemMessage("Be long."), HumanMessage("Hi")])
    assert [turn["content"] for turn in sent()["messages"]] == ["Be long.", "Hi"]


def test_dedicated_endpoint_gets_input_data(score_chat, sent):
    answer = score_chat.invoke('Say "hi"\n', top_p=0.5)
    assert sent() == {
        "input_data": {
            "input_string": [{"role": "user", "content": 'Say "hi"\n'}],
            "parameters": {"max_new_tokens": 40, "top_p": 0.5},
        }
    }
    chunks = list(score_chat.stream('Say "hi"\n', top_p=0.5))
    assert [chunk.content for chunk in chunks if chunk.content] == [answer.content]


def test_newest_image_reports_usage_on_score(score_chat):
    score_chat.deployment_name = "fms"
    answer = score_chat.invoke("Hi")
    assert answer.usage_metadata["output_tokens"] > 0
    assert answer.response_metadata["finish_reason"] == "stop"


def test_call_kwargs_and_stop_do_not_stick(chat, sent):
    chat.invoke("Hi", temperature=0.9, stop=["Z"], timeout=9)
    assert (sent()["temperature"], sent()["stop"], "timeout" in sent()) == (0.9, ["Z"], False)
    chat.invoke("Hi")
    assert sent() == {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 40}


def test_model_can_be_set_for_one_call(chat, sent):
    chat.model = "demo-chat"
    assert chat.invoke("Hi").response_metadata["model_name"] == "demo-chat"
    assert chat.invoke("Hi", model="other").response_metadata["model_name"] == "other"
    assert sent()["model"] == "other"
    chat.invoke("Hi")
    assert sent()["model"] == "demo-chat"


def test_each_choice_becomes_a_generation(chat):
    result = chat.generate([[HumanMessage("Hi")]], n=3)
    assert len(result.generations[0]) == 3
    assert all(isinstance(each.message, AIMessage) for each in result.generations[0])


def test_token_counts_of_conversations_are_summed(chat):
    result = chat.generate([[HumanMessage("Hi")], [HumanMessage("Ho")]])
    counted = sum(each[0].message.usage_metadata["total_tokens"] for each in result.generations)
    assert result.llm_output["token_usage"]["total_tokens"] == counted


async def test_reasoning_is_beside_the_text(chat):
    chat.deployment_name = "reasoning"
    answer = chat.invoke("Why is the sky blue?")
    thoughts = answer.additional_kwargs["reasoning_content"]
    assert thoughts
    assert thoughts not in answer.content
    assert answer.usage_metadata["output_token_details"]["reasoning"] > 0
    assert whole(chat.stream("Why is the sky blue?")).additional_kwargs["reasoning_content"] == thoughts
    full = whole([chunk async for chunk in chat.astream("Why is the sky blue?")])
    assert full.additional_kwargs["reasoning_content"] == thoughts
    chat.invoke([HumanMessage("Why?"), answer, HumanMessage("And?")])


@pytest.mark.parametrize(
    "image",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": "QUJD"},
        {"type": "image", "base64": "QUJD", "mime_type": "image/png"},
    ],
    ids=["wire", "0.3", "1.x"],
)
def test_image_is_sent(chat, sent, image):
    answer = chat.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, image])])
    assert "an image (image/png, 3 bytes)" in answer.content
    assert sent()["messages"][0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
    ]


def test_text_wire_format_refuses_images(llm, endpoint):
    chat = langchain.AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score", content_formatter=langchain.GPT2ContentFormatter()
    )
    image = {"type": "image", "url": "https://example.org/cat.png"}
    with pytest.raises(errors.PromptError, match="sends text only"):
        chat.invoke([HumanMessage(["What is this?", image])])


def test_tool_result_is_sent(chat):
    answer = chat.invoke(
        [
            HumanMessage("What is 1 + 2?"),
            AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1, "b": 2}, "id": "c1"}]),
            ToolMessage("3", tool_call_id="c1", name="add"),
        ]
    )
    assert "add returned: 3" in answer.content


async def test_prompt_flow_gets_question_and_history(endpoint, sent):
    chat = langchain.AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score", deployment_name="promptflow", content_formatter="promptflow"
    )
    turns = [HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("Name a cloud.")]
    answer = chat.invoke(turns)
    assert sent()["question"] == "Name a cloud."
    assert sent()["chat_history"] == [{"inputs": {"question": "Hi"}, "outputs": {"answer": "Hello"}}]
    chunks = list(chat.stream(turns))
    assert len(chunks) > 5
    assert whole(chunks).content == answer.content


def test_langchain_cache_serves_the_second_call(chat, llm, endpoint):
    for model in (chat, llm):
        model.cache = InMemoryCache()
        endpoint.requests.clear()
        first = model.invoke("Hi")
        assert getattr(model.invoke("Hi"), "content", None) == getattr(first, "content", None)
        assert len(endpoint.requests) == 1
        model.invoke("Hi", stop=["z"])
        assert len(endpoint.requests) == 2


def test_field_is_configurable_at_run_time(chat, sent):
    model = chat.configurable_fields(model_kwargs=ConfigurableField(id="kwargs"))
    model.with_config(configurable={"kwargs": {"max_tokens": 3}}).invoke("Hi")
    assert sent()["max_tokens"] == 3
    model.invoke("Hi")
    assert sent()["max_tokens"] == 40


# ---- callbacks -----------------------------------------------------------------------------------------------


def test_callbacks_get_every_token_and_the_end(chat):
    heard = Tokens()
    full = whole(chat.stream("Name a cloud.", config={"callbacks": [heard]}))
    assert "".join(heard.tokens) == full.content
    assert len([token for token in heard.tokens if token]) > 10
    assert all(isinstance(chunk.message, AIMessageChunk) for chunk in heard.chunks)
    assert heard.results[0].generations[0][0].message.content == full.content


def test_run_manager_of_stream_gets_every_chunk(chat):
    heard = []

    class Manager:
        def on_llm_new_token(self, token, chunk=None):
            heard.append((token, chunk))

    chunks = list(chat._stream([HumanMessage("Hi")], run_manager=Manager()))
    assert [chunk for _, chunk in heard] == chunks


async def test_chain_events_have_streamed_chunks(chat):
    chain = ChatPromptTemplate.from_messages([("system", "Be {how}."), ("user", "{what}")]) | chat
    names = [event["event"] async for event in chain.astream_events({"how": "brief", "what": "Hi"}, version="v2")]
    assert names.count("on_chat_model_start") == 1
    assert names.count("on_chat_model_stream") > 5
    assert names.count("on_chat_model_end") == 1


def test_streaming_true_makes_invoke_stream(chat, sent):
    told = chat.invoke("Hi")
    chat = langchain.AzureMLChatOnlineEndpoint(endpoint_url=chat.endpoint_url, streaming=True, max_tokens=40)
    answer = chat.invoke("Hi")
    assert sent().get("stream", False) is (langchain_core.__version__ >= "1")
    assert (answer.content, answer.usage_metadata) == (told.content, told.usage_metadata)


def test_error_reaches_callbacks_and_caller(chat, endpoint):
    class Errors(BaseCallbackHandler):
        def __init__(self):
            self.heard = []

        def on_llm_error(self, error, **kwargs):
            self.heard.append(error)

    heard = Errors()
    endpoint.script([Fault("content-filter")])
    with pytest.raises(errors.ContentFilterError) as caught:
        chat.invoke("Hi", config={"callbacks": [heard]})
    assert heard.heard == [caught.value]
    endpoint.script([Fault("error-event", after=3)])
    with pytest.raises(errors.AzmlError) as caught:
        list(chat.stream("Hi", config={"callbacks": [heard]}))
    assert heard.heard[-1] is caught.value
    assert caught.value.response.text


async def test_async_stream_error_has_partial_response(chat, endpoint):
    endpoint.script([Fault("cut", after=6)])
    pieces = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await gathered(chat.astream("Hi"), pieces)
    assert caught.value.response.text == "".join(chunk.content for chunk in pieces) != ""


def test_saved_document_names_the_chat_class(chat, tmp_path):
    chat.deployment_name = "blue"
    chat.save(tmp_path / "new folder" / "chat.json")
    assert (tmp_path / "new folder" / "chat.json").read_text() == (
        '{\n    "deployment_name": "blue",\n    "model_kwargs": {\n        "max_tokens": 40\n    },\n'
        '    "_type": "azureml_chat_endpoint"\n}'
    )
    chat.save(str(tmp_path / "chat.yaml"))
    assert (tmp_path / "chat.yaml").read_text() == (
        "_type: azureml_chat_endpoint\ndeployment_name: blue\nmodel_kwargs:\n  max_tokens: 40\n"
    )

"""Responses of the core as LangChain's generations and messages."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from azml_magics.core.response import Chunk, Response, Usage
from azml_magics.core.wire.openai_choices import parse_choices
from azml_magics.langchain import outputs
from azml_magics.langchain.chunks import ChatChunks, as_single_chat_chunk


def test_usage_metadata_needs_both_counts():
    assert outputs.usage_metadata(Response("t", usage=Usage(None, 3))) is None
    assert outputs.usage_metadata(Response("t")) is None
    assert outputs.usage_metadata(Response("t", usage=Usage(2, 3))) == {
        "input_tokens": 2,
        "output_tokens": 3,
        "total_tokens": 5,
    }


def test_usage_metadata_has_cached_and_reasoning_tokens():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    reply = parse_choices({"choices": [{"message": {"content": "t"}}], "usage": usage})
    metadata = outputs.usage_metadata(reply)
    assert metadata["input_token_details"] == {"cache_read": 4}
    assert metadata["output_token_details"] == {"reasoning": 5}


def test_reasoning_goes_into_additional_kwargs():
    assert outputs.to_ai_message(Response("42", reasoning="hm")).additional_kwargs == {"reasoning_content": "hm"}


def test_response_metadata_holds_only_known_fields():
    message = outputs.to_ai_message(Response("t", model="m", deployment="blue", request_id="r"))
    assert message.response_metadata == {
        "model_provider": "azureml",
        "model_name": "m",
        "deployment": "blue",
        "request_id": "r",
    }
    assert outputs.to_ai_message(Response("t")).response_metadata == {"model_provider": "azureml"}


def test_each_choice_becomes_a_generation():
    choices = (Response("a", finish_reason="stop"), Response("b", finish_reason="length"))
    made = [outputs.to_generation(choice) for choice in outputs.split_choices(Response("a", choices=choices))]
    assert [(each.text, each.generation_info["finish_reason"]) for each in made] == [("a", "stop"), ("b", "length")]


def test_generation_of_a_custom_formatter_is_kept():
    own = ChatGeneration(message=AIMessage("t", additional_kwargs={"mine": 1}))
    assert outputs.to_chat_generation(Response("t", raw=own)) is own
    text = Generation(text="t", generation_info={"mine": 1})
    assert outputs.to_generation(Response("t", raw=text)) is text
    assert outputs.to_chat_generation(Response("t", raw=text)).message.content == "t"


def test_llm_output_sums_token_counts():
    output = outputs.make_llm_output(
        [Response("a", usage=Usage(1, 2, 3), model="m"), Response("b", usage=Usage(4, 5, 9))]
    )
    assert output == {
        "token_usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        "model_name": "m",
    }
    assert outputs.make_llm_output([Response("a")]) == {}


def test_chunk_without_content_is_skipped():
    assert ChatChunks().convert(Chunk(finish_reason="stop", usage=Usage(1, 2, 3), model="m")) is None
    assert ChatChunks().convert(Chunk(reasoning="hm")).message.additional_kwargs == {"reasoning_content": "hm"}


def test_whole_response_becomes_one_complete_chunk():
    message = AIMessage(
        "t",
        additional_kwargs={"a": 1},
        tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    )
    chunk = as_single_chat_chunk(ChatGeneration(message=message, generation_info={"finish_reason": "stop"}))
    assert chunk.message.content == "t"
    assert chunk.message.tool_calls == message.tool_calls
    assert chunk.message.usage_metadata == message.usage_metadata
    assert chunk.message.additional_kwargs == {"a": 1}
    assert chunk.generation_info == {"finish_reason": "stop"}

"""Answers of the core as LangChain's generations and messages."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from azml_magics.core.response import Chunk, Response, Usage
from azml_magics.core.wire import replies
from azml_magics.langchain import outputs


def test_usage_needs_both_counts():
    assert outputs.usage_metadata(Response("t", usage=Usage(None, 3))) is None
    assert outputs.usage_metadata(Response("t")) is None
    assert outputs.usage_metadata(Response("t", usage=Usage(2, 3))) == {
        "input_tokens": 2,
        "output_tokens": 3,
        "total_tokens": 5,
    }


def test_usage_tells_cached_and_reasoning_tokens():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    reply = replies.read_value({"choices": [{"message": {"content": "t"}}], "usage": usage})
    metadata = outputs.usage_metadata(reply)
    assert metadata["input_token_details"] == {"cache_read": 4}
    assert metadata["output_token_details"] == {"reasoning": 5}


def test_thoughts_are_beside_the_answer():
    assert outputs.message(Response("42", reasoning="hm")).additional_kwargs == {"reasoning_content": "hm"}


def test_where_it_was_answered_is_in_the_metadata_and_only_what_is_known():
    told = outputs.message(Response("t", model="m", deployment="blue", request_id="r"))
    assert told.response_metadata == {"model_name": "m", "deployment": "blue", "request_id": "r"}
    assert outputs.message(Response("t")).response_metadata == {}


def test_several_choices_are_several_answers():
    raw = {"choices": [{"text": "a", "finish_reason": "stop"}, {"text": "b", "finish_reason": "length"}]}
    made = [outputs.text_generation(choice) for choice in outputs.choices(Response("a", raw=raw))]
    assert [(each.text, each.generation_info["finish_reason"]) for each in made] == [("a", "stop"), ("b", "length")]


def test_what_a_persons_formatter_made_is_taken_as_it_is():
    own = ChatGeneration(message=AIMessage("t", additional_kwargs={"mine": 1}))
    assert outputs.chat_generation(Response("t", raw=own)) is own
    text = Generation(text="t", generation_info={"mine": 1})
    assert outputs.text_generation(Response("t", raw=text)) is text
    assert outputs.chat_generation(Response("t", raw=text)).message.content == "t"


def test_counts_of_several_answers_are_summed():
    output = outputs.llm_output([Response("a", usage=Usage(1, 2, 3), model="m"), Response("b", usage=Usage(4, 5, 9))])
    assert output == {
        "token_usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        "model_name": "m",
    }
    assert outputs.llm_output([Response("a")]) == {}


def test_a_piece_with_nothing_to_say_makes_no_chunk():
    assert outputs.chat_chunk(Chunk(finish_reason="stop", usage=Usage(1, 2, 3), model="m")) is None
    assert outputs.chat_chunk(Chunk(reasoning="hm")).message.additional_kwargs == {"reasoning_content": "hm"}


def test_an_answer_that_came_at_once_keeps_everything_as_a_chunk():
    told = AIMessage(
        "t",
        additional_kwargs={"a": 1},
        tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    )
    chunk = outputs.whole_chat_chunk(ChatGeneration(message=told, generation_info={"finish_reason": "stop"}))
    assert chunk.message.content == "t"
    assert chunk.message.tool_calls == told.tool_calls
    assert chunk.message.usage_metadata == told.usage_metadata
    assert chunk.message.additional_kwargs == {"a": 1}
    assert chunk.generation_info == {"finish_reason": "stop"}

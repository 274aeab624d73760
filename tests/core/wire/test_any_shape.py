"""The fallback of formats on /score: every shape of response, and every failure hidden in a 200."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ContentFilterError, ModelError, ResponseFormatError
from azml_magics.core.wire import Call
from azml_magics.core.wire.any_shape import parse_any_shape
from azml_magics.core.wire.first_generation import GPT2Wire

from ..judge import only_our_errors
from .json_strategies import CHAT_CHOICES, CHOICES, JSON, TGI

if TYPE_CHECKING:
    from azml_magics.core.response import Response

SHAPES = [
    ("Azure ML catalogue, gpt2 of December 2023", ["t"]),
    ("Azure ML catalogue, gpt2 of June 2023", [{"0": "t"}]),
    ("gpt2, two prompts: the first one's", [{"0": "t"}, {"0": "u"}]),
    ("curated image, several prompts in one record", [{"0": "t", "1": "u"}]),
    ("LangChain's HFContentFormatter", [{"0": {"generated_text": "t"}}]),
    ("Hugging Face text generation", [{"generated_text": "t"}]),
    ("Hugging Face, one list more", [[{"generated_text": "t"}]]),
    ("TGI /generate", {"generated_text": "t"}),
    ("Hugging Face summarization", [{"summary_text": "t"}]),
    ("Hugging Face translation", [{"translation_text": "t"}]),
    ("Hugging Face question answering", {"answer": "t", "score": 0.98, "start": 11, "end": 15}),
    ("curated image, chat", {"output": "t"}),
    ("curated image of 2026, text", {"output": ["t"], "finish_reason": "stop"}),
    ("aml-benchmark", [{"output": "t"}]),
    ("custom scoring script", {"predictions": ["t"]}),
    ("custom scoring script, records", {"predictions": [{"generated_text": "t"}]}),
    ("a record of one column", {"0": "t"}),
    ("a record of a named column", [{"my_column": "t"}]),
    ("prompt flow", {"answer": "t"}),
    ("prompt flow, an output of its own name", {"reply": "t"}),
    ("a bare text", "t"),
    ("OpenAI completions", {"choices": [{"index": 0, "finish_reason": "stop", "text": "t"}]}),
    ("OpenAI chat", {"choices": [{"message": {"role": "assistant", "content": "t"}, "finish_reason": "stop"}]}),
    ("OpenAI chat, content in parts", {"choices": [{"message": {"content": [{"type": "text", "text": "t"}]}}]}),
    ("OpenAI chat, an error that is null", {"error": None, "choices": [{"message": {"content": "t"}}]}),
    ("a refusal", {"choices": [{"message": {"content": None, "refusal": "t"}, "finish_reason": "stop"}]}),
]


def decode(body: bytes) -> Response:
    return GPT2Wire().decode(body, Call(LLMConfig(), []))


def read(value: object) -> Response:
    return decode(json.dumps(value).encode())


@pytest.mark.parametrize(("source", "value"), SHAPES, ids=[shape[0] for shape in SHAPES])
class TestEveryShape:
    def test_text_is_found(self, source, value):
        assert read(value).text == "t"

    def test_json_inside_json_is_read(self, source, value):
        if isinstance(value, str):  # quotes around a bare text may be the model's own
            assert read(json.dumps(value)).text == '"t"'
        else:
            assert read(json.dumps(value)).text == "t"

    def test_byte_order_mark_and_white_space_are_skipped(self, source, value):
        assert decode(b"\xef\xbb\xbf \n" + json.dumps(value).encode() + b"\n").text == "t"


def test_raw_is_the_decoded_response():
    assert read([{"0": "t"}]).raw == [{"0": "t"}]


def test_text_that_looks_like_json_stays_text():
    assert read([{"0": '{"a": 1}'}]).text == '{"a": 1}'
    assert read({"choices": [{"text": '["x"]'}]}).text == '["x"]'


def test_empty_text_with_finish_reason_is_a_response():
    assert read({"output": "", "finish_reason": "stop"}).text == ""
    assert read({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}).text == ""


# ---- failures behind a 200

HIDDEN = [
    ("curated image: failed or blocked", {}, ModelError, "its content-safety filter blocked the request"),
    ("the same, encoded twice", "{}", ModelError, "returned status 200 with {}"),
    (
        "foundation-model-serve: vLLM's error",
        {"output": None, "error": {"status_code": 400, "body": "context is 4096"}},
        ModelError,
        "context is 4096",
    ),
    ("curated image, too long a prompt", {"output": "None"}, ModelError, "how its model server reports a failure"),
    ("no output at all", {"output": None}, ModelError, "returned no output"),
    (
        "older curated image: a JSON text",
        json.dumps({"error": "Error in processing request", "exception": "CUDA out of memory"}),
        ModelError,
        "Error in processing request: CUDA out of memory",
    ),
    ("TGI", {"error": "Input validation error", "error_type": "validation"}, ModelError, "Input validation error"),
    ("vLLM of old", {"object": "error", "message": "too long", "code": 400}, ModelError, "too long"),
    ("output flagged: the text withheld", {"output": ""}, ModelError, "the content-safety filter withheld it"),
    ("withheld, in a list", [""], ModelError, "an empty text"),
    ("an empty choice", {"choices": [{"message": {"content": ""}}]}, ModelError, "an empty choice"),
    ("no choices", {"choices": []}, ResponseFormatError, "no choices"),
    ("choices that are none", {"choices": ["t"]}, ResponseFormatError, "no choices"),
    ("a choice without a message", {"choices": [{"index": 0}]}, ResponseFormatError, "neither a message nor a text"),
    (
        "content filter, Inference API",
        {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
        ContentFilterError,
        "content filter stopped the response (finish reason content_filter)",
    ),
    (
        "content filter, Llama's own word",
        {"choices": [{"text": "", "finish_reason": "content_filter_error"}]},
        ContentFilterError,
        "content_filter_error",
    ),
    (
        "content filter, curated image",
        {"output": "x", "finish_reason": "content_filter"},
        ContentFilterError,
        "stopped",
    ),
    (
        "content filter as an error inside",
        {"error": {"code": "content_filter", "message": "The response was filtered"}},
        ContentFilterError,
        "The response was filtered",
    ),
    ("numbers", [11633.1, 8522.1], ResponseFormatError, "has no text that this formatter can find"),
    ("labels", [{"label": "POSITIVE", "score": 0.99}], ResponseFormatError, "has no text"),
    ("a list of nothing", [], ResponseFormatError, "has no text that this formatter can find: []"),
    ("null", None, ResponseFormatError, "has no text"),
    ("a message is not a text", {"message": "Method not allowed"}, ResponseFormatError, "has no text"),
    ("a detail is not a text", {"detail": "Not Found"}, ResponseFormatError, "has no text"),
]


@pytest.mark.parametrize(("source", "value", "kind", "message"), HIDDEN, ids=[hidden[0] for hidden in HIDDEN])
def test_failure_inside_200_is_raised(source, value, kind, message):
    with pytest.raises(AzmlError) as caught:
        read(value)
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_status_inside_body_is_kept():
    with pytest.raises(ModelError) as caught:
        read({"output": None, "error": {"status_code": 400, "body": "x"}})
    assert (caught.value.status, caught.value.inner_status) == (200, 400)


def test_content_filter_error_keeps_text_before_it():
    partial = {"choices": [{"message": {"content": "Once upon"}, "finish_reason": "content_filter"}], "model": "m"}
    with pytest.raises(ContentFilterError) as caught:
        read(partial)
    assert caught.value.response.text == "Once upon"
    assert caught.value.response.finish_reason == "content_filter"


@pytest.mark.parametrize("name", ["openai", "gpt2", "dolly", "hf"])
def test_formats_with_fallback_read_each_others_shapes(name):
    own = wire.get(name).wires[0]
    assert [own.parse_response(value).text for _, value in SHAPES] == ["t"] * len(SHAPES)


@pytest.mark.parametrize("name", ["openai-chat", "mistral-chat", "hf-plain", "mlflow", "tgi", "promptflow"])
@pytest.mark.parametrize("value", [{"choices": [{"text": "t"}]}, [{"label": "t", "score": 1}], {"0": {"a": 1, "b": 2}}])
def test_formats_without_fallback_refuse_other_shapes(name, value):
    with pytest.raises(ResponseFormatError):
        wire.get(name).wires[0].parse_response(value)


def test_keys_of_format_come_before_fallback_keys():
    assert parse_any_shape({"output": "fallback", "0": "own"}, ("0",)).text == "own"


@pytest.mark.parametrize("depth", [5, 40, 500, 900, 980, 990])
def test_deep_nesting_is_a_response_format_error(depth):
    with pytest.raises(ResponseFormatError):
        decode(b"[" * depth + b"1" + b"]" * depth)


@given(JSON | CHOICES | CHAT_CHOICES | TGI)
def test_any_json_gives_response_or_own_error(value):
    with only_our_errors():
        response = read(value)
        assert isinstance(response.text, str)
        assert response.finish_reason is None or isinstance(response.finish_reason, str)
        assert isinstance(response.reasoning, str)
        assert isinstance(response.model, str)
        assert all(isinstance(call, dict) for call in response.tool_calls)

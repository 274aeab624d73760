"""/score of the curated images: completions and chat."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ModelError
from azml_magics.core.response import Usage
from azml_magics.core.wire.input_data import InputDataChatWire, InputDataCompletionWire

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "curated foundation-model image, text generation on /score",
        "openai",
        DEDICATED,
        {"top_p": 0.1},
        b'{"input_data":{"input_string":["Say {hi}"],"parameters":{"top_p":0.1}}}',
    ),
    (
        "LangChain's LlamaContentFormatter, its older name",
        "llama",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":["Say {hi}"],"parameters":{}}}',
    ),
    (
        "curated foundation-model image, chat on /score; LangChain's CustomOpenAIChatContentFormatter",
        "openai-chat",
        DEDICATED,
        {"max_new_tokens": 200},
        b'{"input_data":{"input_string":[{"role":"user","content":"Say {hi}"}],"parameters":{"max_new_tokens":200}}}',
    ),
    (
        "LangChain's LlamaChatContentFormatter, its older name",
        "llama-chat",
        DEDICATED,
        {},
        b'{"input_data":{"input_string":[{"role":"user","content":"Say {hi}"}],"parameters":{}}}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


@pytest.mark.parametrize("value", [[{"0": "t"}], [{"0": "t", "1": "u"}], {"output": ["t"], "finish_reason": "stop"}])
def test_text_of_completion(value):
    assert InputDataCompletionWire().parse_response(value).text == "t"


@pytest.mark.parametrize("value", [{"output": "None"}, {"output": None}, {"output": ""}])
def test_output_that_is_missing_is_a_model_error(value):
    with pytest.raises(ModelError):
        InputDataChatWire().parse_response(value)


def test_chat_of_2026_has_usage_finish_reason_and_reasoning():
    response = InputDataChatWire().parse_response(
        {
            "output": "Hello!",
            "message": {"role": "assistant", "content": "Hello!"},
            "finish_reason": "length",
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
            "model": "m",
            "reasoning_content": "hm",
        }
    )
    assert (response.text, response.finish_reason, response.usage) == ("Hello!", "length", Usage(9, 3, 12))
    assert (response.model, response.reasoning) == ("m", "hm")

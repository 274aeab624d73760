"""Completions on OpenAI routes."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ResponseFormatError
from azml_magics.core.wire.openai_completions import OpenAICompletionsWire

HUB = "https://hr.eastus2.models.ai.azure.com"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "Azure AI Model Inference API, completions",
        "openai",
        HUB + "/completions",
        {"max_tokens": 8, "seed": 42},
        b'{"prompt":"Say {hi}","max_tokens":8,"seed":42}',
    ),
    (
        "Azure ML documentation, Llama's own /v1/completions",
        "openai",
        HUB + "/v1/completions",
        {"max_tokens": 8},
        b'{"prompt":"Say {hi}","max_tokens":8}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


def test_text_of_response():
    response = OpenAICompletionsWire().parse_response({"choices": [{"index": 0, "finish_reason": "stop", "text": "t"}]})
    assert (response.text, response.finish_reason) == ("t", "stop")


@pytest.mark.parametrize("value", [[{"0": "t"}], {"output": "t"}, ["t"], "t"])
def test_shapes_of_score_are_response_format_errors(value):
    with pytest.raises(ResponseFormatError, match="no text"):
        OpenAICompletionsWire().parse_response(value)

"""Hugging Face models on /score."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.wire.huggingface import HuggingFaceListWire, HuggingFaceTextWire

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "LangChain's HFContentFormatter",
        "hf",
        DEDICATED,
        {"max_new_tokens": 50},
        b'{"inputs":["Say {hi}"],"parameters":{"max_new_tokens":50}}',
    ),
    (
        "azureml-examples, Hugging Face registry containers",
        "hf-plain",
        DEDICATED,
        {"max_new_tokens": 50},
        b'{"inputs":"Say {hi}","parameters":{"max_new_tokens":50}}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


@pytest.mark.parametrize("wire", [HuggingFaceListWire(), HuggingFaceTextWire()])
@pytest.mark.parametrize(
    "value",
    [
        [{"generated_text": "t"}],
        [[{"generated_text": "t"}]],
        {"generated_text": "t"},
        [{"0": {"generated_text": "t"}}],
        [{"summary_text": "t"}],
        [{"translation_text": "t"}],
        {"answer": "t", "score": 0.98, "start": 11, "end": 15},
    ],
)
def test_text_of_response(wire, value):
    assert wire.parse_response(value).text == "t"

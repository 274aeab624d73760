"""GPT-2 of 2023 and Dolly on /score."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.wire.first_generation import DollyWire, GPT2Wire

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "Azure ML catalogue, gpt2 of June 2023; LangChain's GPT2ContentFormatter",
        "gpt2",
        DEDICATED,
        {"temperature": 0.5},
        b'{"inputs":{"input_string":["Say {hi}"]},"parameters":{"temperature":0.5}}',
    ),
    (
        "LangChain's OSSContentFormatter, its older name",
        "oss",
        DEDICATED,
        {},
        b'{"inputs":{"input_string":["Say {hi}"]},"parameters":{}}',
    ),
    (
        "Azure ML catalogue, databricks-dolly; LangChain's DollyContentFormatter",
        "dolly",
        DEDICATED,
        {"max_tokens": 9},
        b'{"input_data":{"input_string":["Say {hi}"]},"parameters":{"max_tokens":9}}',
    ),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


@pytest.mark.parametrize("wire", [GPT2Wire(), DollyWire()])
@pytest.mark.parametrize("value", [[{"0": "t"}], [{"0": "t"}, {"0": "u"}], [{"0": "t", "1": "u"}], ["t"]])
def test_text_of_response(wire, value):
    assert wire.parse_response(value).text == "t"

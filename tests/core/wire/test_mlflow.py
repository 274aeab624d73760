"""MLflow no-code deployments on /score."""

from __future__ import annotations

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.wire.mlflow import MLflowWire

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"

# (source, formatter, url, model kwargs, exact body) of the prompt "Say {hi}"
BODIES = [
    (
        "Azure ML catalogue, gpt2 since December 2023; the MLflow image's input_data and params",
        "mlflow",
        DEDICATED,
        {"do_sample": True},
        b'{"input_data":["Say {hi}"],"params":{"do_sample":true}}',
    ),
    (
        "Azure ML's MLflow image: a table for a signature of columns",
        "mlflow(column=question)",
        DEDICATED,
        {"max_new_tokens": 8},
        b'{"input_data":{"columns":["question"],"index":[0],"data":[["Say {hi}"]]},"params":{"max_new_tokens":8}}',
    ),
    ("Azure ML's MLflow image: params may be absent", "mlflow", DEDICATED, {}, b'{"input_data":["Say {hi}"]}'),
]


@pytest.mark.parametrize(
    ("source", "name", "url", "kwargs", "expected"), BODIES, ids=[f"{b[1]}-{b[0]}" for b in BODIES]
)
def test_body_is_the_documented_one(source, name, url, kwargs, expected):
    config = LLMConfig(endpoint_url=url, formatter=name, model_kwargs=kwargs, key=None)
    assert prepare(config, "Say {hi}").request.body == expected


@pytest.mark.parametrize(
    "value", [["t"], {"predictions": ["t"]}, {"predictions": [{"0": "t"}]}, [{"0": "t"}], [{"my_column": "t"}]]
)
def test_text_of_response(value):
    assert MLflowWire().parse_response(value).text == "t"

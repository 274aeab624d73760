"""Embeddings: the vector in Response.parsed, on OpenAI routes and on /score."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from hypothesis import given

from azml_magics.core import wire
from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import AzmlError, ModelError, ResponseFormatError
from azml_magics.core.response import Response, Usage

from ..judge import only_our_errors
from .json_strategies import JSON

OPENAI = "https://r.services.ai.azure.com/openai/v1/embeddings"
SCORE = "https://e.westeurope.inference.ml.azure.com/score"


def config(url: str = OPENAI, **kwargs) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter="embeddings", key=None, model="emb", model_kwargs=kwargs)


def read(value: object, url: str = OPENAI) -> Response:
    made = wire.wire_for(config(url))
    return made.decode(json.dumps(value).encode(), wire.Call(config(url), []))


def reply(*vectors, **more):
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "emb", **more}


@pytest.mark.parametrize(
    ("url", "kwargs", "body"),
    [
        (OPENAI, {"dimensions": 3}, {"input": ["Hi"], "dimensions": 3, "model": "emb"}),
        ("https://e.eastus.models.ai.azure.com/embeddings", {}, {"input": ["Hi"], "model": "emb"}),
        (SCORE, {}, {"input_data": ["Hi"]}),
        (SCORE, {"batch": 1}, {"input_data": ["Hi"], "params": {"batch": 1}}),
    ],
)
def test_body_is_the_documented_one(url, kwargs, body):
    request = prepare(config(url, **kwargs), "Hi").request
    assert json.loads(request.body) == body
    assert "extra-parameters" not in request.headers


@pytest.mark.parametrize(
    ("url", "goes_to"),
    [
        ("https://r.services.ai.azure.com", "https://r.services.ai.azure.com/openai/v1/embeddings"),
        ("https://e.westeurope.inference.ml.azure.com", SCORE),
    ],
)
def test_base_gets_the_route_of_its_kind(url, goes_to):
    assert prepare(config(url), "Hi").request.url == goes_to


def test_vector_is_the_parsed_value():
    response = read(reply([0.1, 0.2, 0.3], usage={"prompt_tokens": 2, "total_tokens": 2}))
    assert (response.text, response.parsed, response.model) == ("", [0.1, 0.2, 0.3], "emb")
    assert response.usage == Usage(2, None, 2)
    assert response.notices == ("The answer is a vector of 3 numbers.",)
    assert Response.from_dict(json.loads(json.dumps(response.to_dict()))).parsed == [0.1, 0.2, 0.3]


def test_several_vectors_are_in_the_order_of_their_index():
    value = reply([1.0], [2.0])
    value["data"].reverse()
    assert read(value).parsed == [[1.0], [2.0]]


def test_base64_is_read_as_numbers():
    encoded = base64.b64encode(struct.pack("<3f", 0.5, -1.0, 2.0)).decode()
    assert read(reply(encoded)).parsed == [0.5, -1.0, 2.0]


@pytest.mark.parametrize("value", [[[0.1, 0.2]], {"predictions": [[0.1, 0.2]]}])
def test_vectors_of_mlflow_are_read(value):
    assert read(value, SCORE).parsed == [0.1, 0.2]


@pytest.mark.parametrize("url", [OPENAI, SCORE])
@pytest.mark.parametrize("value", [["t"], {"output": "t"}, {"data": []}, reply("no"), reply([]), [], [[]], [[True]]])
def test_other_replies_are_response_format_errors(url, value):
    with pytest.raises(ResponseFormatError):
        read(value, url)


def test_failures_are_raised():
    with pytest.raises(ModelError, match="boom"):
        read({"error": {"message": "boom"}})


@pytest.mark.parametrize("name", ["mlflow", "openai-chat", "hf"])
@pytest.mark.parametrize("value", [[[0.1, 0.2]], reply([0.1])])
def test_other_formatters_say_that_the_model_embeds(name, value):
    with pytest.raises(AzmlError, match="an embeddings model, which takes no prompt") as caught:
        wire.get(name).wires[0].parse_response(value)
    assert caught.value.error_code == "embeddings-model"


def test_ranking_is_not_an_answer():
    with pytest.raises(AzmlError, match="a rerank model, which takes no prompt"):
        wire.get("openai-chat").wires[-1].parse_response({"results": [{"index": 0, "relevance_score": 0.9}]})


@given(JSON)
def test_any_json_gives_a_vector_or_own_error(value):
    for url in (OPENAI, SCORE):
        with only_our_errors():
            assert read(value, url).parsed

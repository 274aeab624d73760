"""What requests on OpenAI routes have in common: the model, streams, extra parameters."""

from __future__ import annotations

import json

import pytest

from azml_magics.core.client import prepare
from azml_magics.core.config import LLMConfig

DEDICATED = "https://hr.westeurope.inference.ml.azure.com/score"
HUB = "https://hr.eastus2.models.ai.azure.com"


def config(formatter: str, url: str = DEDICATED, **fields) -> LLMConfig:
    return LLMConfig(endpoint_url=url, formatter=formatter, key=None, **fields)


def body(a_config: LLMConfig, prompt, *, stream: bool = False) -> bytes:
    return prepare(a_config, prompt, stream=stream).request.body


def headers(a_config: LLMConfig, *, stream: bool = False) -> dict[str, str]:
    return dict(prepare(a_config, "Hi", stream=stream).request.headers)


@pytest.mark.parametrize(
    ("url", "asks_for_usage"),
    [
        ("https://r.openai.azure.com/openai/deployments/d/completions?api-version=2024-10-21", True),
        ("https://r.services.ai.azure.com/openai/v1/completions", True),
        ("https://n.eastus.inference.ml.azure.com/v1/completions", True),
        (HUB + "/v1/completions", True),
        (HUB + "/completions", False),
        ("https://r.services.ai.azure.com/models/completions", False),
    ],
)
def test_stream_options_are_sent_to_routes_that_know_them(url, asks_for_usage):
    request = prepare(config("openai", url, model="m"), "Hi", stream=True).request
    sent = json.loads(request.body)
    assert sent["stream"] is True
    assert ("stream_options" in sent) is asks_for_usage
    if asks_for_usage:
        assert sent["stream_options"] == {"include_usage": True}
        assert request.fallback is not None
        assert "stream_options" not in json.loads(request.fallback)
    else:
        assert request.fallback is None


def test_stream_options_of_user_are_kept():
    with_own = config("openai", HUB + "/v1/completions", model_kwargs={"stream_options": {"include_usage": False}})
    request = prepare(with_own, "Hi", stream=True).request
    assert json.loads(request.body)["stream_options"] == {"include_usage": False}
    assert request.fallback is None


@pytest.mark.parametrize("name", ["openai", "openai-chat"])
def test_whole_response_is_never_requested_as_stream(name):
    route = "/v1/completions" if name == "openai" else "/v1/chat/completions"
    asked = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 4}
    sent = json.loads(body(config(name, HUB + route, model_kwargs=asked), "Hi"))
    assert "stream" not in sent
    assert "stream_options" not in sent
    assert sent["max_tokens"] == 4


@pytest.mark.parametrize("url", [HUB + "/completions", "https://r.services.ai.azure.com/models/completions"])
def test_unknown_kwargs_are_passed_through_by_header(url):
    unknown = config("openai", url, model="m", model_kwargs={"top_k": 3})
    assert headers(unknown)["extra-parameters"] == "pass-through"
    known = config("openai", url, model="m", model_kwargs={"top_p": 0.3, "stop": ["\n"], "seed": 1})
    assert "extra-parameters" not in headers(known)


@pytest.mark.parametrize("choice", ["error", "drop", "pass-through"])
def test_extra_parameters_of_config_are_sent(choice):
    chosen = config("openai", HUB + "/completions", model_kwargs={"top_k": 3}, extra_parameters=choice)
    assert headers(chosen)["extra-parameters"] == choice


@pytest.mark.parametrize(
    "url",
    [HUB + "/v1/completions", "https://r.openai.azure.com/openai/deployments/d/completions", DEDICATED],
)
def test_other_routes_get_no_extra_parameters_header(url):
    assert "extra-parameters" not in headers(config("openai", url, model_kwargs={"top_k": 3}))


@pytest.mark.parametrize("url", ["https://r.services.ai.azure.com/models", "https://r.services.ai.azure.com/openai/v1"])
def test_request_without_a_model_is_left_to_the_server(url):
    assert b'"model"' not in body(config("openai-chat", url), "Hi")


@pytest.mark.parametrize(
    "fields",
    [{"model": "mistral-large"}, {"deployment_name": "mistral-large"}, {"model_kwargs": {"model": "mistral-large"}}],
)
def test_model_comes_from_model_deployment_or_kwargs(fields):
    named = config("openai-chat", "https://r.services.ai.azure.com/models", **fields)
    request = prepare(named, "Hi").request
    assert json.loads(request.body)["model"] == "mistral-large"
    assert "azureml-model-deployment" not in request.headers


def test_deployment_of_dedicated_endpoint_is_a_header():
    request = prepare(config("openai", deployment_name="blue"), "Hi").request
    assert request.headers["azureml-model-deployment"] == "blue"
    assert b"model" not in request.body

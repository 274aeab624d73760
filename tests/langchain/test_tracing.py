"""What traces say."""

from __future__ import annotations

import pytest

from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint

SCORE = "https://name.region.inference.ml.azure.com/score"


@pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])
def test_ls_params_describe_the_call(kind):
    model = kind(endpoint_url=SCORE, model_kwargs={"temperature": 0.5, "max_new_tokens": 9, "stop": "x"})
    params = model._get_ls_params()
    assert params["ls_model_name"] == "name.region.inference.ml.azure.com"
    assert params["ls_model_type"] == ("llm" if kind is AzureMLOnlineEndpoint else "chat")
    assert params["ls_provider"] == kind.__name__.lower()
    assert (params["ls_temperature"], params["ls_max_tokens"], params["ls_stop"]) == (0.5, 9, ["x"])
    model.deployment_name = "blue"
    assert model._get_ls_params()["ls_model_name"] == "blue"
    model.model = "demo"
    assert model._get_ls_params()["ls_model_name"] == "demo"
    call = model._get_ls_params(stop=["y"], model="other", temperature=0, max_tokens=3)
    assert (call["ls_model_name"], call["ls_temperature"], call["ls_max_tokens"]) == ("other", 0, 3)
    assert call["ls_stop"] == ["y"]


def test_identifying_params_begin_as_those_of_the_original():
    text = AzureMLOnlineEndpoint(deployment_name="blue", model_kwargs={"x": 1}, content_formatter="gpt2", model="m")
    assert text._llm_type == "azureml_endpoint"
    assert text._identifying_params == {
        "deployment_name": "blue",
        "model_kwargs": {"x": 1},
        "endpoint_api_type": "dedicated",
        "model": "m",
        "content_formatter": "gpt2",
    }
    assert "Params: {'deployment_name': 'blue', 'model_kwargs': {'x': 1}" in str(text)
    chat = AzureMLChatOnlineEndpoint()
    assert chat._llm_type == "azureml_chat_endpoint"
    assert chat._identifying_params["model_kwargs"] == {}

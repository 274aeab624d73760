"""`configurable_alternatives`, where `init_chat_model` knows its own providers only: the recipe of the documentation."""

from __future__ import annotations

import httpx
import pytest
from langchain_core.runnables import ConfigurableField
from langchain_openai import ChatOpenAI

from azml_magics.langchain import AzureMLChatOnlineEndpoint

from .conftest import KEY

WAYS = pytest.mark.parametrize("bind", [False, True], ids=["per call", "with_config"])


@pytest.fixture
def model(endpoint):
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions")
    claude = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/anthropic/v1/messages", model="claude-sonnet-4-6")
    with httpx.Client() as client:  # openai closes none of its own
        yield chat.configurable_alternatives(
            ConfigurableField(id="model"),
            default_key="azureml",
            openai=lambda: ChatOpenAI(
                model="reasoning", base_url=f"{endpoint.url}/v1", api_key=KEY, http_client=client
            ),
            claude=claude,
        )


@WAYS
@pytest.mark.parametrize(
    ("name", "path"),
    [("azureml", "/v1/chat/completions"), ("openai", "/v1/chat/completions"), ("claude", "/anthropic/v1/messages")],
)
def test_call_goes_to_the_named_alternative(model, endpoint, name, path, bind):
    config = {"configurable": {"model": name}}
    message = model.with_config(config).invoke("Hello") if bind else model.invoke("Hello", config)
    assert endpoint.requests[-1].path == path
    expected = {"azureml": "azml-magics-demo", "openai": "reasoning", "claude": "claude-sonnet-4-6"}[name]
    assert message.response_metadata["model_name"].startswith(expected)


def test_default_alternative_streams_with_its_own_class(model):
    chunks = list(model.stream("Name a river."))
    assert len(chunks) > 1
    (model_name,) = {name for chunk in chunks if (name := chunk.response_metadata.get("model_name"))}
    assert model_name == "azml-magics-demo"


def test_configurable_fields_change_parameters(endpoint, sent):
    chat = AzureMLChatOnlineEndpoint(endpoint_url=f"{endpoint.url}/v1/chat/completions", temperature=0.1)
    model = chat.configurable_fields(temperature=ConfigurableField(id="temperature"))
    model.with_config(configurable={"temperature": 0.9}).invoke("Hello")
    assert sent()["temperature"] == 0.9

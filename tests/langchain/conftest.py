"""One running emulator for each test module, and models that point to it as a person would write them."""

from __future__ import annotations

import pytest

from azml_magics import langchain
from azml_magics.pytest_plugin import KEY

# langchain-core 0.3.30 itself does, under a pydantic that is newer than it is.
OLD_CORE = "ignore:Accessing the 'model_fields' attribute on the instance is warn_deprecated"


def pytest_collection_modifyitems(items):
    """Everything warned of is an error, apart from what the oldest langchain-core does to pydantic."""
    for item in items:
        if "tests/langchain/" in item.path.as_posix():
            item.add_marker(pytest.mark.filterwarnings(OLD_CORE))


def whole(chunks):
    """The sum of a stream's chunks."""
    full = None
    for chunk in chunks:
        full = chunk if full is None else full + chunk
    return full


@pytest.fixture
def endpoint(azml_endpoint, monkeypatch):
    """The running endpoint; its key is where the original's classes look for one."""
    monkeypatch.setenv("AZUREML_ENDPOINT_API_KEY", KEY)
    return azml_endpoint


@pytest.fixture
def sent(endpoint):
    """`sent()` is the JSON of the last request."""
    return lambda: endpoint.requests[-1].json()


@pytest.fixture
def llm(endpoint):
    """A text model on /score, in the dialect of the first GPT-2."""
    return langchain.AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score",
        content_formatter=langchain.GPT2ContentFormatter(),
        model_kwargs={"max_new_tokens": 20, "return_full_text": False},
    )


@pytest.fixture
def completion(endpoint):
    """A text model on an OpenAI-like route."""
    return langchain.AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/completions",
        endpoint_api_type="serverless",
        content_formatter=langchain.CustomOpenAIContentFormatter(),
        model_kwargs={"max_tokens": 20},
    )


@pytest.fixture
def chat(endpoint):
    """A chat model on an OpenAI-like route."""
    return langchain.AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        content_formatter=langchain.CustomOpenAIChatContentFormatter(),
        model_kwargs={"max_tokens": 40},
    )


@pytest.fixture
def score_chat(endpoint):
    """A chat model on /score of a dedicated endpoint, which neither streams nor takes tools."""
    return langchain.AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score",
        endpoint_api_type="dedicated",
        content_formatter=langchain.CustomOpenAIChatContentFormatter(),
        model_kwargs={"max_new_tokens": 40},
    )

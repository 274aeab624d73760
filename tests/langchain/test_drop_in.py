"""The documentation page's examples, with nothing changed but the import lines (and the prompts' words)."""

from __future__ import annotations

import importlib
import json
import os
import warnings

import pytest
from langchain_core.prompts import PromptTemplate

from azml_magics.langchain import (
    AzureMLChatOnlineEndpoint,
    AzureMLEndpointApiType,
    AzureMLOnlineEndpoint,
    ContentFormatterBase,
    CustomOpenAIChatContentFormatter,
    CustomOpenAIContentFormatter,
    DollyContentFormatter,
    load_llm,
)

from .conftest import KEY

ARTICLE = """The river Wharfe rises on the moors above Oughtershaw. From there the river runs for sixty miles through the
dales to the Ouse. Below Bolton Abbey the river is forced through a narrow cleft of gritstone. Walkers are warned not
to leap it. The river gave its name to several villages on its banks, and mills were driven by the river for centuries."""


def test_dedicated_completion(endpoint, sent):
    llm = AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/score",
        endpoint_api_type=AzureMLEndpointApiType.dedicated,
        endpoint_api_key=KEY,
        content_formatter=CustomOpenAIContentFormatter(),
        model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
    )
    response = llm.invoke("Write a verse about still water:")
    assert isinstance(response, str)
    assert sent() == {
        "input_data": {
            "input_string": ["Write a verse about still water:"],
            "parameters": {"temperature": 0.8, "max_new_tokens": 400},
        }
    }
    # model parameters may be given with a call, too
    llm.invoke("Write a verse about still water:", temperature=0.5)
    assert sent()["input_data"]["parameters"] == {"temperature": 0.5, "max_new_tokens": 400}
    assert llm.model_kwargs == {"temperature": 0.8, "max_new_tokens": 400}


def test_serverless_completion_on_v1_completions(endpoint, sent):
    llm = AzureMLOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/completions",
        endpoint_api_type=AzureMLEndpointApiType.serverless,
        endpoint_api_key=KEY,
        content_formatter=CustomOpenAIContentFormatter(),
        model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
    )
    assert llm.invoke("Write a verse about still water:")
    assert sent() == {"prompt": "Write a verse about still water:", "temperature": 0.8, "max_new_tokens": 400}


def test_custom_formatter_for_a_summariser(endpoint, sent, monkeypatch):
    monkeypatch.setenv("BART_ENDPOINT_API_KEY", KEY)
    monkeypatch.setenv("BART_ENDPOINT_URL", f"{endpoint.url}/score")

    class CustomFormatter(ContentFormatterBase):
        content_type = "application/json"
        accepts = "application/json"

        def format_request_payload(self, prompt: str, model_kwargs: dict) -> bytes:
            input_str = json.dumps(
                {
                    "inputs": [prompt],
                    "parameters": model_kwargs,
                    "options": {"use_cache": False, "wait_for_model": True},
                }
            )
            return str.encode(input_str)

        def format_response_payload(self, output: bytes) -> str:
            response_json = json.loads(output)
            return response_json[0]["summary_text"]

    llm = AzureMLOnlineEndpoint(
        endpoint_api_type="dedicated",
        endpoint_api_key=os.getenv("BART_ENDPOINT_API_KEY"),
        endpoint_url=os.getenv("BART_ENDPOINT_URL"),
        model_kwargs={"temperature": 0.8, "max_new_tokens": 400},
        content_formatter=CustomFormatter(),
        deployment_name="bart",
    )
    summary = llm.invoke(ARTICLE)
    assert len(summary) < len(ARTICLE)
    assert "river" in summary
    assert sent()["inputs"] == [ARTICLE]


@pytest.fixture
def dolly(endpoint, monkeypatch):
    monkeypatch.setenv("DOLLY_ENDPOINT_API_KEY", KEY)
    monkeypatch.setenv("DOLLY_ENDPOINT_URL", f"{endpoint.url}/score")
    return AzureMLOnlineEndpoint(
        endpoint_api_key=os.getenv("DOLLY_ENDPOINT_API_KEY"),
        endpoint_url=os.getenv("DOLLY_ENDPOINT_URL"),
        model_kwargs={"temperature": 0.8, "max_tokens": 300},
        content_formatter=DollyContentFormatter(),
    )


PROMPT = PromptTemplate(
    input_variables=["word_count", "topic"], template="In {word_count} words, say something of {topic}."
)


def test_dolly_in_an_llm_chain(dolly, sent):
    chain = llm_chain(llm=dolly, prompt=PROMPT)
    answer = chain.invoke({"word_count": 50, "topic": "patience"})
    assert "not a language model" in answer["text"]
    assert sent()["input_data"] == {"input_string": ["In 50 words, say something of patience."]}
    assert sent()["parameters"] == {"temperature": 0.8, "max_tokens": 300}


def llm_chain(**parts):
    """The real LLMChain: langchain-classic has it, or the langchain that goes with langchain-core 0.3."""
    for module in ("langchain_classic.chains", "langchain.chains"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                kind = importlib.import_module(module).LLMChain
            except (ImportError, AttributeError):
                continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LLMChain is warn_deprecated; importing it sets filters that show it
            return kind(**parts)
    pytest.skip("neither langchain-classic nor langchain is installed")


def test_dolly_behind_a_piped_prompt(dolly, sent):
    assert "not a language model" in (PROMPT | dolly).invoke({"word_count": 50, "topic": "patience"})
    assert sent()["input_data"] == {"input_string": ["In 50 words, say something of patience."]}


def test_save_and_load_without_a_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_llm = AzureMLOnlineEndpoint(
        deployment_name="databricks-dolly-v2-12b-4",
        model_kwargs={
            "temperature": 0.2,
            "max_tokens": 150,
            "top_p": 0.8,
            "frequency_penalty": 0.32,
            "presence_penalty": 72e-3,
        },
    )
    save_llm.save("azureml.json")
    loaded_llm = load_llm("azureml.json")
    assert str(loaded_llm) == str(save_llm)
    assert "databricks-dolly-v2-12b-4" in str(loaded_llm)


def test_chat_class_as_in_its_docstring(endpoint):
    chat = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{endpoint.url}/v1/chat/completions",
        endpoint_api_type=AzureMLEndpointApiType.serverless,
        endpoint_api_key=KEY,
        content_formatter=CustomOpenAIChatContentFormatter(),
    )
    assert "Hello!" in chat.invoke("Hello").content

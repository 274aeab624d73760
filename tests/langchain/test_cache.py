"""LangChain's cache: the same entry only for what gives the same response, and never the key in it."""

from __future__ import annotations

import json

import pytest
from langchain_core.caches import InMemoryCache

from azml_magics import langchain
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint

LITERAL = "literal-key-0123456789"
BOTH = pytest.mark.parametrize("kind", [AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])


class Prefix(langchain.ContentFormatterBase):
    """A text formatter with a state."""

    def __init__(self, prefix=""):
        self.prefix = prefix

    def format_request_payload(self, prompt, model_kwargs, api_type):
        return {"inputs": {"input_string": [self.prefix + prompt]}, "parameters": model_kwargs}

    def format_response_payload(self, output, api_type):
        return json.loads(output)[0]["0"]


class ChatPrefix(Prefix):
    """A chat formatter with a state."""

    def format_messages_request_payload(self, messages, model_kwargs, api_type):
        return self.format_request_payload(messages[-1].content, model_kwargs, api_type)


@pytest.fixture
def ask(endpoint):
    """`ask(kind, …)` invokes a model with a shared cache and returns how many requests that took."""
    cache = InMemoryCache()

    def ask(kind, **arguments):
        before = len(endpoint.requests)
        given = {"endpoint_url": f"{endpoint.url}/score", "content_formatter": "openai-chat", **arguments}
        kind(cache=cache, **given).invoke("Hi")
        return len(endpoint.requests) - before

    return ask


@BOTH
def test_same_model_is_answered_from_the_cache(kind, ask):
    assert (ask(kind), ask(kind), ask(kind, timeout=99, name="other")) == (1, 0, 0)


@BOTH
@pytest.mark.parametrize(
    "other",
    [
        {"model": "another"},
        {"system": "Be brief."},
        {"content_formatter": "mistral-chat"},
        {"model_kwargs": {"seed": 1}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_whatever_changes_the_response_is_asked_anew(kind, other, ask):
    assert (ask(kind), ask(kind, **other), ask(kind, **other)) == (1, 1, 0)


@BOTH
async def test_parameters_of_a_call_count(kind, endpoint):
    model = kind(endpoint_url=f"{endpoint.url}/score", content_formatter="openai-chat", cache=InMemoryCache())
    for kwargs in ({}, {"seed": 1}, {"seed": 2}, {"seed": 1}, {}):
        model.invoke("Hi", **kwargs)
        await model.ainvoke("Hi", **kwargs)
    assert len(endpoint.requests) == 3


@BOTH
def test_another_deployment_is_asked_anew(kind, ask):
    assert ask(kind, content_formatter="gpt2") == 1
    assert ask(kind, content_formatter="gpt2", deployment_name="gpt2-2023-06") == 1


@BOTH
def test_another_endpoint_is_asked_anew(kind, endpoint, ask):
    chat = f"{endpoint.url}/v1/chat/completions"
    assert (ask(kind), ask(kind, endpoint_url=chat), ask(kind, endpoint_url=chat)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("kind", "formatter"), [(AzureMLOnlineEndpoint, Prefix), (AzureMLChatOnlineEndpoint, ChatPrefix)]
)
def test_formatter_with_a_state_shares_entries_with_no_other(kind, formatter, ask):
    mine, other = formatter("a"), formatter("a")
    assert [ask(kind, content_formatter=each) for each in (mine, mine, other, mine)] == [1, 0, 1, 0]
    mine.prefix = "b"
    assert ask(kind, content_formatter=mine) == 1


def test_formatter_without_a_state_shares_entries(ask):
    assert [ask(AzureMLOnlineEndpoint, content_formatter=Plain()) for _ in range(2)] == [1, 0]


def test_formatter_that_cannot_be_compared_is_always_asked(ask):
    mine = Prefix()
    mine.connection = object()
    assert [ask(AzureMLOnlineEndpoint, content_formatter=mine) for _ in range(2)] == [1, 1]
    mine = langchain.CustomOpenAIChatContentFormatter()
    mine.format_response_payload = lambda output, api_type: "fixed"
    assert [ask(AzureMLOnlineEndpoint, content_formatter=mine) for _ in range(2)] == [1, 1]


class Plain(Prefix):
    """The same without a state."""

    prefix = ""

    def __init__(self):
        pass


SOURCE = """
class Formatter(Base):
    def format_request_payload(self, prompt, model_kwargs, api_type):
        return {{"inputs": {{"input_string": [{prompt}]}}, "parameters": model_kwargs}}
"""


def test_class_defined_anew_with_other_code_is_asked_anew(ask):
    def define(prompt, **names):
        made = {"Base": Plain, "__name__": "__main__", **names}
        exec(SOURCE.format(prompt=prompt), made)
        return made["Formatter"]()

    made = [define("prompt"), define("prompt"), define("prompt + '!'"), define("WORD"), define("WORD")]
    assert [ask(AzureMLOnlineEndpoint, content_formatter=each) for each in made[:3]] == [1, 0, 1]
    words = [define("WORD", WORD=word) for word in ("a", "a", "b")]
    assert [ask(AzureMLOnlineEndpoint, content_formatter=each) for each in words] == [1, 0, 1]


@BOTH
def test_key_is_not_in_the_cache(kind, endpoint):
    texts = []

    class Cache(InMemoryCache):
        def lookup(self, prompt, llm_string):
            texts.append(prompt + llm_string)

    model = kind(
        endpoint_url=f"{endpoint.url}/score",
        content_formatter="openai-chat",
        cache=Cache(),
        headers={"api-key": LITERAL},
    )
    model.invoke("Hi")
    assert texts
    assert not [text for text in texts if LITERAL in text or "azml-test-key" in text]
    assert LITERAL not in str(model._identifying_params)


def test_client_of_ones_own_has_entries_of_its_own():
    class Client:
        def __init__(self, url, reply):
            self.endpoint_url, self.endpoint_api_key, self.reply = url, LITERAL, reply

        def call(self, body, run_manager=None):
            return json.dumps([{"0": self.reply}])

    cache = InMemoryCache()
    clients = [Client("https://a/score", "a"), Client("https://b/score", "b"), Client("https://a/score", "a")]
    models = [AzureMLOnlineEndpoint(http_client=each, content_formatter="gpt2", cache=cache) for each in clients]
    assert [model.invoke("Hi") for model in models] == ["a", "b", "a"]
    assert LITERAL not in str([model._identifying_params for model in models])

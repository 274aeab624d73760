"""Formatters by name: the built-in ones, the older names, and the user's own."""

from __future__ import annotations

import pytest

from azml_magics.core import wire
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, UnknownNameError, UsageError

BUILT_IN = [
    "openai",
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "mistral-chat",
    "gpt2",
    "dolly",
    "hf",
    "hf-plain",
    "mlflow",
    "tgi",
    "promptflow",
    "embeddings",
]


class Mine:
    def format_request_payload(self, prompt, model_kwargs):
        return prompt

    def format_response_payload(self, output):
        return output.decode()


def test_names_are_in_order():
    assert wire.names() == BUILT_IN
    assert wire.names(aliases=True) == [*BUILT_IN, "oss", "llama", "llama-chat"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_formatter_has_name_description_and_routes(name):
    formatter = wire.get(name)
    assert formatter.name == name
    assert formatter.description
    assert "\n" not in formatter.description
    assert formatter.routes
    assert set(formatter.api_types) <= {"dedicated", "serverless"}
    assert len({kwarg.name for kwarg in formatter.known_kwargs}) == len(formatter.known_kwargs)


@pytest.mark.parametrize("kwarg", {k.name: k for n in BUILT_IN for k in wire.get(n).known_kwargs}.values(), ids=str)
def test_known_kwarg_has_type_help_and_range(kwarg):
    assert kwarg.type in {"number", "integer", "boolean", "string", "strings", "object"}
    assert kwarg.help
    if kwarg.default is not None:
        assert kwarg.minimum <= kwarg.default <= kwarg.maximum


@pytest.mark.parametrize(("alias", "name"), [("oss", "gpt2"), ("llama", "openai"), ("llama-chat", "openai-chat")])
def test_older_names_of_langchain_are_known(alias, name):
    assert wire.get(alias) is wire.get(name)


@pytest.mark.parametrize(("typed", "meant"), [("gtp2", "gpt2"), ("opnai-chat", "openai-chat"), ("GPT2", "gpt2")])
def test_mistyped_name_suggests_the_nearest(typed, meant):
    with pytest.raises(UnknownNameError, match=f"No formatter named '{typed}'") as caught:
        wire.get(typed)
    assert f"Did you mean '{meant}'?" in str(caught.value)
    assert "register_formatter" in str(caught.value)


def test_registered_formatter_is_found_until_unregistered():
    wire.register("bart-x", Mine())
    assert "bart-x" in wire.names()
    assert isinstance(wire.get("bart-x").wires[0], wire.CustomWire)
    wire.unregister("bart-x")
    wire.unregister("bart-x")
    assert "bart-x" not in wire.names()


def test_registered_class_is_called():
    wire.register("mine", Mine)
    assert isinstance(wire.get("mine").content_formatter, Mine)


def test_class_that_needs_arguments_is_a_usage_error():
    class Needy(Mine):
        def __init__(self, needed):
            self.needed = needed

    with pytest.raises(UsageError, match="Needy cannot be made without arguments") as caught:
        wire.register("needy", Needy)
    assert "object" in str(caught.value)


@pytest.mark.parametrize("name", ["gpt2", "oss", "openai-chat"])
def test_built_in_name_cannot_be_registered(name):
    with pytest.raises(UsageError, match="is the name of a built-in formatter"):
        wire.register(name, Mine())


@pytest.mark.parametrize("name", ["", "with space", "-x", "a/b", "1st", "$x"])
def test_invalid_name_is_refused(name):
    with pytest.raises(UsageError, match="cannot name a formatter"):
        wire.register(name, Mine())


@pytest.mark.parametrize("thing", [object(), 7, {"a": 1}, lambda prompt: prompt])
def test_object_without_methods_is_refused(thing):
    with pytest.raises(UsageError, match="is not a content formatter") as caught:
        wire.register("thing", thing)
    assert "format_request_payload" in str(caught.value)


def test_config_takes_name_formatter_or_object():
    url = "https://n.eastus.inference.ml.azure.com/score"
    assert wire.formatter_for(LLMConfig(endpoint_url=url, formatter="gpt2")) is wire.get("gpt2")
    assert wire.formatter_for(LLMConfig(endpoint_url=url, formatter=wire.get("hf"))) is wire.get("hf")
    assert isinstance(wire.wire_for(LLMConfig(endpoint_url=url, formatter=Mine())), wire.CustomWire)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://chat.eastus2.models.ai.azure.com", "openai-chat"),
        ("https://chat.eastus2.models.ai.azure.com/chat/completions", "openai-chat"),
        ("https://chat.eastus2.models.ai.azure.com/completions", "openai"),
        ("https://r.services.ai.azure.com", "openai-responses"),
        ("https://r.openai.azure.com/openai/v1/", "openai-responses"),
        ("https://n.eastus.inference.ml.azure.com/v1/responses", "openai-responses"),
        ("https://r.services.ai.azure.com/anthropic", "anthropic-messages"),
        ("https://gateway.example.com/v1/messages", "anthropic-messages"),
        ("https://r.services.ai.azure.com/openai/v1/chat/completions", "openai-chat"),
        ("https://r.openai.azure.com/openai/deployments/d", "openai-chat"),
        ("https://n.eastus.inference.ml.azure.com/v1", "openai-chat"),
        ("https://n.eastus.inference.ml.azure.com/generate", "tgi"),
        ("https://n.eastus.inference.ml.azure.com/generate_stream", "tgi"),
    ],
)
def test_route_implies_formatter(url, name):
    assert wire.formatter_for(LLMConfig(endpoint_url=url)).name == name


@pytest.mark.parametrize(
    "url",
    [
        "https://n.eastus.inference.ml.azure.com/score",
        "https://n.eastus.inference.ml.azure.com",
        "https://k8s.example.com/x",
    ],
)
def test_score_implies_no_formatter(url):
    with pytest.raises(ConfigError, match="the wire format of /score differs from deployment to deployment") as caught:
        wire.formatter_for(LLMConfig(endpoint_url=url))
    assert "Choose one: openai, openai-chat" in str(caught.value)

"""LiteLLM's proxy on the chat, Responses and Messages wires: its own mock answers, and those of the endpoint behind it."""

from __future__ import annotations

from typing import Any

import pytest

from azml_magics import LLMConfig, Secret, errors, invoke, stream
from azml_magics.azure.detect import detect

from .conftest import PROXY_KEY

pytestmark = pytest.mark.real_component
WIRES = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
}
SEA, SALT = "Why is the sea salty?", "Rain dissolves minerals from rocks"
THOUGHT = "Rivers carry dissolved minerals into the sea."
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
FORWARDED = [  # formatter, model, what makes it show its thoughts
    ("openai-chat", "demo-reasoning", {}),
    ("openai-responses", "gpt-5-mini", {"reasoning_summary": "auto"}),
    ("anthropic-messages", "claude-sonnet-4-6", {"thinking": {"type": "adaptive"}}),
]


@pytest.fixture
def config_of(proxy):
    def make(formatter: str, model: str = "mock", key: str = PROXY_KEY, **kwargs: Any) -> LLMConfig:
        url = proxy.url + WIRES[formatter]
        return LLMConfig(
            name="proxy",
            endpoint_url=url,
            formatter=formatter,
            model=model,
            key=Secret(key),
            max_retries=0,
            model_kwargs=kwargs,
        )

    return make


def streamed(config: LLMConfig, prompt: str):
    with stream(config, prompt) as chunks:
        for _ in chunks:
            pass
    return chunks.response


@pytest.mark.parametrize("formatter", WIRES)
def test_mock_answer_is_whole(config_of, formatter) -> None:
    response = invoke(config_of(formatter), "Hi")
    assert response.text == "Lisbon is the capital."
    assert response.usage is not None
    assert response.model == "mock"


@pytest.mark.parametrize("formatter", ["openai-chat", "anthropic-messages"])
def test_mock_answer_is_streamed_or_whole_where_a_stream_was_asked(config_of, formatter) -> None:
    assert streamed(config_of(formatter), "Hi").text == "Lisbon is the capital."


@pytest.mark.parametrize(("formatter", "model", "kwargs"), FORWARDED)
class TestEveryForwardedModel:
    def test_whole(self, config_of, formatter, model, kwargs) -> None:
        response = invoke(config_of(formatter, model, **kwargs), SEA)
        assert response.text.startswith(SALT)
        assert response.reasoning.startswith(THOUGHT)

    def test_streamed(self, config_of, formatter, model, kwargs) -> None:
        response = streamed(config_of(formatter, model, **kwargs), SEA)
        assert response.text.startswith(SALT)
        assert response.reasoning.startswith(THOUGHT)
        assert response.finish_reason

    def test_tools(self, config_of, formatter, model, kwargs) -> None:
        for response in (
            invoke(config_of(formatter, model, tools=[TOOL]), "Call get_weather for Lisbon"),
            streamed(config_of(formatter, model, tools=[TOOL]), "Call get_weather for Lisbon"),
        ):
            (call,) = response.tool_calls
            assert call["function"]["name"] == "get_weather"
            assert "Lisbon" in call["function"]["arguments"]


@pytest.mark.parametrize("formatter", WIRES)
def test_refused_key_is_one_line(config_of, formatter) -> None:
    with pytest.raises(errors.EndpointError) as caught:  # 400: it looks for other keys in a database, and has none
        invoke(config_of(formatter, key="sk-another-0123456789"), "Hi")
    assert "\n" not in str(caught.value)
    assert "sk-another" not in str(caught.value)


@pytest.mark.parametrize("formatter", WIRES)
def test_unknown_model_is_one_line(config_of, formatter) -> None:
    with pytest.raises(errors.EndpointError) as caught:
        invoke(config_of(formatter, "no-such-model"), "Hi")
    assert "no-such-model" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "/v1", "/v1/chat/completions"])
def test_wire_is_detected(proxy, path) -> None:
    config = LLMConfig(endpoint_url=proxy.url + path, model="gpt-5-mini", key=Secret(PROXY_KEY), max_retries=0)
    found = detect(config)
    assert found.best is not None
    assert (found.best.formatter, found.url) == ("openai-chat", f"{proxy.url}/v1/chat/completions")

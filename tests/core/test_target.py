"""A config as the target of azure-ai-evaluation and MLflow: a function of a row's columns."""

from __future__ import annotations

import inspect

import pytest

from azml_magics.core.client import Client
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import PromptError

from .server import Server, reply

WHOLE = {
    "choices": [{"message": {"content": "glad"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


@pytest.fixture
def server():
    running = Server()
    running.respond_with(reply(WHOLE))
    yield running
    running.stop()


@pytest.fixture
def config(server):
    return LLMConfig(name="small", endpoint_url=f"{server.url}/v1/chat/completions", key=None)


def test_target_sends_the_prompt_with_the_columns(server, config):
    ask = config.as_target("Glad or cross? {letter} {{x}}")
    found = ask(letter="Thank you")
    assert found.pop("latency") > 0
    assert found == {"response": "glad", "prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    assert server.received[0].json["messages"] == [{"role": "user", "content": "Glad or cross? Thank you {x}"}]


def test_signature_has_the_prompts_variables(config):
    ask = config.as_target("{letter} {tone} {letter}")
    assert list(inspect.signature(ask).parameters) == ["letter", "tone"]
    assert ask.__name__ == "ask_small"


def test_default_prompt_is_the_query(server, config):
    assert list(inspect.signature(config.as_target()).parameters) == ["query"]
    config.as_target()("Hi")
    assert server.received[0].json["messages"][0]["content"] == "Hi"


def test_messages_are_rendered(server, config):
    messages = [
        {"role": "system", "content": "Be {tone}."},
        {"role": "user", "content": [{"type": "text", "text": "{q}"}]},
    ]
    config.as_target(messages)(tone="brief", q="Hi")
    assert [message["role"] for message in server.received[0].json["messages"]] == ["system", "user"]
    assert server.received[0].json["messages"][0]["content"] == "Be brief."


@pytest.mark.parametrize("columns", [{}, {"letter": "a", "other": "b"}])
def test_wrong_columns_are_a_type_error(config, columns):
    with pytest.raises(TypeError):
        config.as_target("{letter}")(**columns)


def test_prompt_without_variable_is_refused(config):
    with pytest.raises(PromptError, match="no variable"):
        config.as_target("Hello")


def test_client_of_the_user_sends(server, config):
    with Client(default_headers={"x-team": "maps"}) as client:
        config.as_target("{q}", client.invoke)(q="Hi")
    assert server.received[0].headers["x-team"] == "maps"

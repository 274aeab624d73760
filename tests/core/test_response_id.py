"""The service's id of a response, which the next request may refer to: on every wire that has one."""

from __future__ import annotations

import pytest

from azml_magics import LLMConfig, invoke, stream
from azml_magics.core.response import Response
from azml_magics.core.secret import Secret
from azml_magics.pytest_plugin import KEY


@pytest.fixture
def config_of(azml_endpoint):
    def make(path, model=""):
        return LLMConfig(endpoint_url=f"{azml_endpoint.url}{path}", key=Secret(KEY), model=model)

    return make


WIRES = [
    ("/v1/chat/completions", "", "chatcmpl-"),
    ("/openai/v1/responses", "gpt-5-mini", "resp_"),
    ("/anthropic/v1/messages", "claude-sonnet-4-6", "msg_"),
]


@pytest.mark.parametrize(("path", "model", "start"), WIRES)
def test_response_has_the_services_id_whole_and_streamed(config_of, path, model, start):
    config = config_of(path, model)
    assert invoke(config, "Hello").id.startswith(start)
    with stream(config, "Hello") as streamed:
        list(streamed)
    assert streamed.response.id.startswith(start)


def test_stored_response_is_continued_by_its_id(config_of):
    config = config_of("/openai/v1/responses", "gpt-5-mini")
    first = invoke(config.merged(model_kwargs={"store": True}), "My name is Ines.")
    assert (
        invoke(config.merged(model_kwargs={"previous_response_id": first.id}), "What is my name?").text
        == "Your name is Ines."
    )


def test_id_survives_as_data_and_is_no_difference():
    assert Response.from_dict(Response("Hi", id="resp_1").to_dict()).id == "resp_1"
    assert Response("Hi", id="resp_1") == Response("Hi", id="resp_2")

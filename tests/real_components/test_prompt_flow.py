"""Prompt flow's own server: flows that stream and that do not, with other outputs, and with other names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from azml_magics import LLMConfig, errors, invoke, stream
from azml_magics.core.client import fetch

if TYPE_CHECKING:
    from .conftest import ServeFlow

pytestmark = pytest.mark.real_component
ANSWER = "You asked 'Hi' after 'nothing'."
STREAMING = ("streaming", "text_beside", "list_beside")
TURNS = [
    {"role": "user", "content": "One"},
    {"role": "user", "content": "Or two"},
    {"role": "assistant", "content": "Second"},
    {"role": "user", "content": "Hi"},
]


@pytest.fixture
def config_of(serve_flow: ServeFlow):
    def make(name: str, **fields: Any) -> LLMConfig:
        url = f"{serve_flow(name).url}/score"
        return LLMConfig(name=name, endpoint_url=url, formatter="promptflow", key=None, max_retries=0, **fields)

    return make


@pytest.mark.parametrize("name", [*STREAMING, "whole"])
class TestEveryFlow:
    def test_answer_is_whole(self, config_of, name) -> None:
        assert invoke(config_of(name), "Hi").text == ANSWER

    def test_answer_is_streamed(self, config_of, name) -> None:
        with stream(config_of(name), "Hi") as chunks:
            texts = [chunk.text for chunk in chunks if chunk.text]
        assert "".join(texts) == chunks.response.text == ANSWER
        assert (len(texts) > 3) is (name in STREAMING)

    def test_history_is_paired_by_role(self, config_of, name) -> None:
        assert invoke(config_of(name), TURNS).text == "You asked 'Hi' after 'Second'."


def test_missing_input_is_one_line(config_of) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        invoke(config_of("names"), "Hi")
    assert "query" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_and_output_of_other_names_can_be_named(config_of) -> None:
    config = config_of("names").merged(formatter="promptflow(input=query, history=turns, output=reply)")
    assert invoke(config, TURNS).text == "You asked 'Hi' after 'Second'."
    with stream(config, "Hi") as chunks:
        assert "".join(chunk.text for chunk in chunks) == ANSWER


def test_document_names_inputs_and_output(config_of, serve_flow) -> None:
    document = json.loads(fetch(config_of("names"), f"{serve_flow('names').url}/swagger.json"))
    found = [document["info"][f"x-chat-{part}"] for part in ("input", "history", "output")]
    assert found == ["query", "turns", "reply"]

"""A prompt flow with names of its own: named in the formatter, and found in its swagger document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from azml_magics import LLMConfig, invoke, stream
from azml_magics.azure.detect import detect

if TYPE_CHECKING:
    from .conftest import ServeFlow

pytestmark = pytest.mark.real_component
NAMED = "promptflow(input=query,history=turns,output=reply)"


@pytest.fixture
def config(serve_flow: ServeFlow) -> LLMConfig:
    return LLMConfig(endpoint_url=f"{serve_flow('names').url}/score", formatter=NAMED, key=None, max_retries=0)


def test_answer_is_whole(config) -> None:
    assert invoke(config, "Hi").text == "You asked 'Hi' after 'nothing'."


def test_answer_is_streamed(config) -> None:
    with stream(config, "Hi") as chunks:
        texts = [chunk.text for chunk in chunks if chunk.text]
    assert "".join(texts) == "You asked 'Hi' after 'nothing'."
    assert len(texts) > 3


def test_history_has_the_names(config) -> None:
    turns = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "First"},
        {"role": "user", "content": "Hi"},
    ]
    assert invoke(config, turns).text == "You asked 'Hi' after 'First'."


@pytest.mark.parametrize("name", ["streaming", "whole", "text_beside", "list_beside", "names"])
def test_flow_is_detected(serve_flow: ServeFlow, name) -> None:
    found = detect(LLMConfig(endpoint_url=f"{serve_flow(name).url}/score", key=None, max_retries=0))
    assert found.best is not None
    config = LLMConfig(endpoint_url=f"{serve_flow(name).url}/score", formatter=found.best.formatter, key=None)
    assert invoke(config, "Hi").text == "You asked 'Hi' after 'nothing'."

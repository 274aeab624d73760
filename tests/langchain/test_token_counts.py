"""Token counts without a tokenizer of the model, and without the package transformers."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, trim_messages
from langchain_core.tools import tool

from azml_magics.core.tokens import OVERHEAD, REPLY
from azml_magics.langchain import AzureMLChatOnlineEndpoint, AzureMLOnlineEndpoint

SCORE = "https://name.region.inference.ml.azure.com/score"
MESSAGES = [SystemMessage("Be brief."), HumanMessage("Name a river in Portugal.")]


@tool
def look_up(word: str) -> str:
    """Look up a word."""
    return word


@pytest.fixture(params=[AzureMLOnlineEndpoint, AzureMLChatOnlineEndpoint])
def model(request):
    return request.param(endpoint_url=SCORE)


@pytest.fixture(autouse=True)
def _no_transformers(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)


def test_text_is_a_token_for_every_four_bytes(model):
    assert model.get_num_tokens("Name a river in Portugal.") == 7
    assert model.get_num_tokens("") == 0


def test_messages_count_with_what_is_around_them(model):
    assert model.get_num_tokens_from_messages(MESSAGES) == 3 + 7 + 2 * OVERHEAD + REPLY


def test_tools_are_part_of_the_prompt(model):
    alone = model.get_num_tokens_from_messages(MESSAGES)
    assert model.get_num_tokens_from_messages(MESSAGES, tools=[look_up]) > alone + 20


def test_own_tokenizer_counts_in_place_of_the_estimate(model):
    model.custom_get_token_ids = lambda text: list(range(len(text)))
    assert model.get_num_tokens("river") == 5
    assert model.get_num_tokens_from_messages(MESSAGES[:1]) == 9 + OVERHEAD + REPLY


def test_trim_messages_takes_the_model_as_its_counter():
    model = AzureMLChatOnlineEndpoint(endpoint_url=SCORE)
    kept = trim_messages([*MESSAGES, HumanMessage("And in Spain?")], max_tokens=15, token_counter=model)
    assert [message.content for message in kept] == ["And in Spain?"]

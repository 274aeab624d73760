"""Estimates of a prompt's tokens: by bytes, by tiktoken where it is there, and never a guess about pictures."""

from __future__ import annotations

import sys
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.core import tokens
from azml_magics.core.tokens import OVERHEAD, REPLY, TokenEstimate, estimate_tokens

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}


def user(content):
    return {"role": "user", "content": content}


@pytest.fixture
def tiktoken(monkeypatch):
    """A tiktoken that counts words, knows models named word-… and can be told to fail or to wait."""
    module, model = types.ModuleType("tiktoken"), types.ModuleType("tiktoken.model")
    module.may_load, module.fails, module.loads = threading.Event(), False, 0
    module.may_load.set()

    def encoding_name_for_model(name):
        if not name.startswith("word-"):
            raise KeyError(name)
        return "words"

    def get_encoding(_name):
        module.loads += 1
        assert module.may_load.wait(30)
        if module.fails:
            raise OSError("offline")
        return types.SimpleNamespace(encode=lambda text, disallowed_special: list(range(len(text.split()))))

    model.encoding_name_for_model, module.get_encoding, module.model = encoding_name_for_model, get_encoding, model
    monkeypatch.setitem(sys.modules, "tiktoken", module)
    monkeypatch.setitem(sys.modules, "tiktoken.model", model)
    monkeypatch.setattr(tokens, "_vocabularies", {})
    yield module
    module.may_load.set()


def test_text_is_one_message_of_its_bytes():
    estimate = estimate_tokens("x" * 400)
    assert estimate.tokens == 100 + OVERHEAD + REPLY
    assert str(estimate) == "about 107 tokens (estimated: bytes / 4)"


def test_languages_with_more_bytes_have_more_tokens():
    assert estimate_tokens("河流的名字是什么").tokens > estimate_tokens("abcdefgh").tokens


def test_every_message_costs_its_overhead():
    assert estimate_tokens([user("abcd"), user("abcd")]).tokens == 2 * (1 + OVERHEAD) + REPLY


def test_pictures_are_not_counted_but_named():
    estimate = estimate_tokens([user([{"type": "text", "text": "abcd"}, PICTURE, PICTURE])])
    assert (estimate.tokens, estimate.uncounted) == (1 + OVERHEAD + REPLY, 2)
    assert str(estimate) == "about 8 tokens, without 2 attachments (estimated: bytes / 4)"


def test_one_picture_is_one_attachment():
    assert "without 1 attachment (" in str(estimate_tokens([user([PICTURE])]))


def test_tools_and_their_calls_are_counted():
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}]}
    assert estimate_tokens([call]).tokens > OVERHEAD + REPLY
    tool = {"type": "function", "function": {"name": "weather", "description": "d" * 400}}
    assert estimate_tokens("Rain?", tools=[tool]).tokens > estimate_tokens("Rain?").tokens + 100


def test_tiktoken_counts_a_model_that_it_knows(tiktoken):
    estimate = estimate_tokens("one two three", "word-1")
    assert estimate == TokenEstimate(3 + OVERHEAD + REPLY, "tiktoken words")
    assert str(estimate) == "about 10 tokens (estimated: tiktoken words)"


def test_vocabulary_is_loaded_once(tiktoken):
    for _ in range(3):
        estimate_tokens("one two three", "word-1")
    assert tiktoken.loads == 1


def test_unknown_model_is_counted_by_bytes(tiktoken):
    assert estimate_tokens("one two three", "llama").method == "bytes / 4"
    assert tiktoken.loads == 0


def test_vocabulary_that_cannot_be_loaded_is_said(tiktoken):
    tiktoken.fails = True
    assert estimate_tokens("one two three", "word-1").method == "bytes / 4"


def test_estimate_does_not_wait_for_a_download(tiktoken):
    tiktoken.may_load.clear()
    assert estimate_tokens("one two three", "word-1", wait=0).method == "bytes / 4"
    tiktoken.may_load.set()
    assert estimate_tokens("one two three", "word-1", wait=30).method == "tiktoken words"


def test_very_long_text_is_counted_by_bytes(tiktoken):
    assert estimate_tokens("a " * 200_000, "word-1").method == "bytes / 4"


def test_estimates_add_up():
    assert TokenEstimate(3) + TokenEstimate(4, uncounted=1) == TokenEstimate(7, uncounted=1)
    both = TokenEstimate(3) + TokenEstimate(4, "tiktoken o200k_base")
    assert both == TokenEstimate(7, "bytes / 4, tiktoken o200k_base")


@given(st.text(st.characters()))
def test_any_text_has_an_estimate(text):
    assert estimate_tokens(text).tokens >= OVERHEAD + REPLY


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside)
    )
)
def test_any_content_has_an_estimate(content):
    assert estimate_tokens([{"role": "user", "content": content}]).tokens >= OVERHEAD + REPLY

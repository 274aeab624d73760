"""Conversations of a session: what of them is sent with a prompt, what is kept of a response, and who is told."""

from __future__ import annotations

import pytest

from azml_magics.conversations import Conversation, after_response, model_of
from azml_magics.core.config import LLMConfig
from azml_magics.core.response import Response
from azml_magics.session import Session

CONFIG = LLMConfig(endpoint_url="https://one.example/v1/chat/completions")
ITEMS = [{"type": "reasoning", "encrypted_content": "c2VjcmV0"}]


def user(text):
    return {"role": "user", "content": text}


def test_system_message_comes_first_and_is_not_kept():
    sent = [{"role": "system", "content": "Be brief."}, user("Hello")]
    kept = after_response(sent, Response("Hi."), CONFIG)
    assert kept.turns == (user("Hello"), {"role": "assistant", "content": "Hi."})
    roles = [turn["role"] for turn in kept.with_prompt([{"role": "system", "content": "New"}, user("Go on")], CONFIG)]
    assert roles == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(("url", "has_items"), [(CONFIG.endpoint_url, True), ("https://two.example/v1", False)])
def test_items_go_back_only_to_their_model(url, has_items):
    kept = after_response([user("Hello")], Response("Hi.", items=ITEMS), CONFIG)
    sent = kept.with_prompt([user("Go on")], LLMConfig(endpoint_url=url))
    assert ("items" in sent[1]) is has_items


def test_only_last_response_keeps_items():
    first = after_response([user("Hello")], Response("Hi.", items=ITEMS), CONFIG)
    second = after_response(first.with_prompt([user("Go on")], CONFIG), Response("Yes.", items=ITEMS), CONFIG)
    assert ["items" in turn for turn in second.turns] == [False, False, False, True]


def test_listeners_hear_of_every_change():
    session, heard = Session(), []
    session.subscribe(lambda change: heard.append((change.kind, change.name)))
    session.conversations["trip"] = Conversation((user("Hello"),), model_of(CONFIG))
    del session.conversations["trip"]
    session.conversations["a"] = session.conversations["b"] = Conversation()
    session.conversations.clear()
    assert heard[:2] == [("conversation", "trip")] * 2
    assert sorted(heard[2:]) == [("conversation", "a")] * 2 + [("conversation", "b")] * 2
    assert not session.conversations


def test_repr_shows_names_and_no_texts():
    session = Session()
    session.conversations["trip"] = Conversation((user("a private matter"),))
    assert repr(session.conversations) == "Conversations('trip')"

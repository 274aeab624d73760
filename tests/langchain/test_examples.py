"""The documented replies and streams of 2026, read by the chat class."""

from __future__ import annotations

import pytest

from azml_magics import errors
from azml_magics.langchain import AzureMLChatOnlineEndpoint

from ..core.captures.examples import EXAMPLES
from ..core.server import Server
from .conftest import whole

WITH_TEXT = [example for example in EXAMPLES if not example.error and not example.vectors]
REFUSALS = [example for example in EXAMPLES if example.error]


@pytest.fixture
def chat_for():
    """`chat_for(example)` is a chat model whose endpoint sends the example."""
    server = Server()

    def make(example):
        server.respond_with(*example.replies)
        return AzureMLChatOnlineEndpoint(
            endpoint_url=server.url + example.path,
            content_formatter=example.formatter or None,
            model="m",
            key="none",
            max_retries=0,
            timeout=20,
        )

    yield make
    server.stop()


@pytest.mark.parametrize("example", WITH_TEXT, ids=lambda example: example.file)
def test_message_holds_all_that_the_reply_says(chat_for, example):
    chat = chat_for(example)
    message = whole(chat.stream("Hi")) if example.is_stream else chat.invoke("Hi")
    assert message.content == example.text
    assert message.additional_kwargs.get("reasoning_content", "").strip() == example.reasoning.strip()
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == list(example.calls)
    assert message.response_metadata["finish_reason"] == example.finish
    assert message.response_metadata.get("model_name", "") == example.model
    if example.counts:
        counts = message.usage_metadata
        assert (counts["input_tokens"], counts["output_tokens"]) == (example.counts.prompt, example.counts.completion)
        assert counts.get("output_token_details", {}).get("reasoning", 0) == example.counts.reasoning
        assert counts.get("input_token_details", {}).get("cache_read", 0) == example.counts.cached
    found = message.response_metadata.get("content_filters", [])
    for wanted in example.filters:
        assert any((each["category"], each["source"]) == (wanted.category, wanted.source) for each in found)
    if example.items:
        assert [item["type"] for item in message.additional_kwargs["items"]] == list(example.items)
    if hasattr(message, "content_blocks"):
        kinds = [block["type"] for block in message.content_blocks]
        assert ("reasoning" in kinds) is bool(example.reasoning)
        assert kinds.count("tool_call") == len(example.calls)


@pytest.mark.parametrize("example", REFUSALS, ids=lambda example: example.file)
def test_refusal_raises_its_error_whole_and_streamed(chat_for, example):
    chat = chat_for(example)
    for call in (chat.invoke, lambda prompt: list(chat.stream(prompt))):
        with pytest.raises(getattr(errors, example.error)) as caught:
            call("Hi")
        assert "\n" not in str(caught.value)

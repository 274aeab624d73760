"""One call of the chat class is one POST on a warm connection, whatever the server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from azml_magics.core.errors import APIConnectionError, AzmlError
from azml_magics.core.http import exchange
from azml_magics.langchain import AzureMLChatOnlineEndpoint, CustomOpenAIChatContentFormatter

from ..core.server import CLOSED_AT_ONCE, FAULTS, Server, reply

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

HI = reply({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


def invoke(model: AzureMLChatOnlineEndpoint) -> AIMessage | AzmlError:
    try:
        return model.invoke("Hi")
    except AzmlError as error:
        return error


@pytest.mark.parametrize("name", FAULTS)
def test_one_call_is_one_post(server, name, monkeypatch):
    monkeypatch.setattr(exchange, "STALE_WITHIN", 5.0 if name == CLOSED_AT_ONCE else 0.3)  # a busy machine is slow
    server.respond_with(HI, FAULTS[name], HI)
    model = AzureMLChatOnlineEndpoint(
        endpoint_url=f"{server.url}/v1/chat/completions",
        endpoint_api_key="k3y-0123456789abcdef",
        content_formatter=CustomOpenAIChatContentFormatter(),
        max_retries=3,
    )
    first, second = invoke(model), invoke(model)
    assert first.content == "hi"
    if name == CLOSED_AT_ONCE:
        assert (second.content, len(server.received)) == ("hi", 3)
        return
    assert len(server.received) == 2
    assert isinstance(second, APIConnectionError)
    assert "may have been processed and was not repeated" in str(second)

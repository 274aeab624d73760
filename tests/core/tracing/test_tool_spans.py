"""An exchange with tools is one trace: each step's call, and each tool that was called."""

from __future__ import annotations

import asyncio

import pytest

from azml_magics.core.client import default_async_client, default_client
from tests.core.server import reply

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Faro"}'}}
ASKS = {"choices": [{"message": {"content": None, "tool_calls": [CALL]}, "finish_reason": "tool_calls"}]}
ENDS = {"choices": [{"message": {"content": "Sunny."}, "finish_reason": "stop"}]}


@pytest.fixture(params=["sync", "async"])
def ask(request, server, config_of):
    """`ask(tool)` returns the final text; the model asks for the tool once."""
    server.respond_with(reply(ASKS), reply(ENDS))
    if request.param == "sync":
        return lambda tool: default_client().invoke(config_of(), "How is it in Faro?", tools=[tool]).text
    return lambda tool: asyncio.run(default_async_client().invoke(config_of(), "How is it?", tools=[tool])).text


def test_calls_and_tools_are_one_trace(ask, spans):
    def weather(city: str) -> str:
        """Return the weather."""
        return f"sunny in {city}"

    assert ask(weather) == "Sunny."
    (root,) = spans("invoke_agent")
    (tool,) = spans("execute_tool")
    assert tool.name == "execute_tool weather"
    assert tool.attributes["gen_ai.tool.name"] == "weather"
    assert tool.attributes["gen_ai.tool.call.id"] == "c1"
    assert {span.parent.span_id for span in [*spans("chat"), tool]} == {root.context.span_id}
    assert len(spans("chat")) == 2
    assert "Faro" not in "".join(span.to_json() for span in spans())


def test_arguments_and_result_are_content(ask, spans, monkeypatch):
    monkeypatch.setenv(CONTENT, "true")

    def weather(city: str) -> str:
        """Return the weather."""
        return f"sunny in {city}"

    ask(weather)
    (tool,) = spans("execute_tool")
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city": "Faro"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "sunny in Faro"


def test_tool_that_raises_has_a_span_that_fails(ask, spans):
    def weather(city: str) -> str:
        """Return the weather."""
        raise ValueError(f"no weather in {city}")

    ask(weather)
    (tool,) = spans("execute_tool")
    assert not tool.status.is_ok
    assert tool.attributes["error.type"] == "tool-failed"
    assert all(call.status.is_ok for call in spans("chat"))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_stream_with_tools_is_one_trace(server, config_of, spans, is_async):
    from opentelemetry import trace

    def weather(city: str) -> str:
        """Return the weather."""
        return f"sunny in {city}"

    server.respond_with(reply(ASKS), reply(ENDS))

    async def read():
        stream = default_async_client().stream(config_of(), "How is it in Faro?", tools=[weather])
        async for chunk in stream:
            assert not trace.get_current_span().get_span_context().is_valid, chunk

    if is_async:
        asyncio.run(read())
    else:
        for _ in default_client().stream(config_of(), "How is it in Faro?", tools=[weather]):
            assert not trace.get_current_span().get_span_context().is_valid
    (root,) = spans("invoke_agent")
    below = [*spans("chat"), *spans("execute_tool")]
    assert len(below) == 3
    assert {span.parent.span_id for span in below} == {root.context.span_id}

"""A call as OpenTelemetry sees it: one span, with an attempt below it for every request."""

from __future__ import annotations

import asyncio
import json

import pytest

from azml_magics.core import client
from azml_magics.core.errors import AzmlError, BadRequestError, Interrupted, RateLimitError, StreamInterruptedError
from azml_magics.core.tracing import without_spans
from tests.core.conftest import KEY
from tests.core.server import delta, fault, reply, streamed

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 5,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
HI = {
    "id": "chatcmpl-1",
    "model": "gpt-5-mini-2025-08-07",
    "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
DONE = [delta("h"), delta("i", finish_reason="stop"), {"choices": [], "usage": USAGE}, b"[DONE]"]


def only(found):
    """The only span."""
    assert len(found) == 1, found
    return found[0]


def text_of(span) -> str:
    """All that a span says."""
    return span.to_json()


@pytest.fixture(params=["invoke", "ainvoke", "stream", "astream"])
def call(request, server):
    """A call in one of four ways: `call(config, prompt)` returns the text; the server answers "hi"."""
    is_stream = request.param.endswith("stream")
    server.respond_with(streamed(*DONE) if is_stream else reply(HI))

    async def read(stream):
        return "".join([chunk.text async for chunk in stream])

    ways = {
        "invoke": lambda *given: client.invoke(*given).text,
        "ainvoke": lambda *given: asyncio.run(client.ainvoke(*given)).text,
        "stream": lambda *given: "".join(chunk.text for chunk in client.stream(*given)),
        "astream": lambda *given: asyncio.run(read(client.astream(*given))),
    }
    send = ways[request.param]
    send.is_stream = is_stream
    return send


# ---- one span for a call


def test_call_is_one_span_of_the_conventions(call, config_of, server, spans):
    config = config_of(model="gpt-5-mini", model_kwargs={"temperature": 0, "max_tokens": 50, "top_p": 0.5, "seed": 7})
    assert call(config, "hello") == "hi"
    span = only(spans("chat"))
    assert span.name == "chat gpt-5-mini"
    assert span.kind.name == "CLIENT"
    assert span.status.is_ok
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azureml",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "azml_magics.config": "prod",
        "azml_magics.attempts": 1,
    }
    attributes = dict(span.attributes)
    assert {name: attributes.get(name) for name in expected} == expected
    assert attributes["gen_ai.response.model"] == ("tiny" if call.is_stream else HI["model"])
    assert ("gen_ai.request.stream" in attributes) == call.is_stream
    assert ("gen_ai.response.time_to_first_chunk" in attributes) == call.is_stream


def test_attempt_is_a_child_of_its_call(call, config_of, server, spans):
    call(config_of(), "hello")
    attempt, parent = only(spans("POST")), only(spans("chat"))
    assert attempt.parent.span_id == parent.context.span_id
    assert attempt.kind.name == "CLIENT"
    assert attempt.attributes["http.request.method"] == "POST"
    assert attempt.attributes["http.response.status_code"] == 200
    assert attempt.attributes["url.full"] == f"{server.url}/v1/chat/completions"


def test_trace_goes_out_with_the_request(call, config_of, server, spans):
    call(config_of(), "hello")
    attempt = only(spans("POST"))
    sent = server.received[0].headers["traceparent"]
    assert sent.startswith(f"00-{attempt.context.trace_id:032x}-{attempt.context.span_id:016x}-")
    assert int(sent[-2:], 16) & 1, "it is sampled"


def test_header_of_the_users_own_wins(call, config_of, server, spans):
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    call(config_of(headers={"Traceparent": own}), "hello")
    assert server.received[0].headers["traceparent"] == own
    assert "tracestate" not in server.received[0].headers


def test_call_is_below_the_users_span(call, config_of, spans):
    from opentelemetry import trace

    with trace.get_tracer_provider().get_tracer("mine").start_as_current_span("my work") as mine:
        call(config_of(), "hello")
        assert trace.get_current_span() is mine
    assert only(spans("chat")).parent.span_id == mine.get_span_context().span_id


@pytest.mark.parametrize(
    ("route", "operation"),
    [("chat/completions", "chat"), ("completions", "text_completion"), ("embeddings", "embeddings")],
)
def test_operation_is_that_of_the_route(server, config_of, spans, route, operation):
    choice = {"text": "hi", "message": {"content": "hi"}}
    server.respond_with(reply({"choices": [choice], "data": [{"embedding": [0.5, 0.25]}]}))
    client.invoke(config_of(f"/v1/{route}", deployment_name="blue"), "hello")
    assert spans()[-1].name == f"{operation} blue"
    assert spans()[-1].attributes["gen_ai.operation.name"] == operation


def test_response_has_the_id_of_the_service(server, config_of, spans):
    server.respond_with(reply(HI))
    client.invoke(config_of(), "hello")
    assert only(spans("chat")).attributes["gen_ai.response.id"] == "chatcmpl-1"


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://r.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("https://r.openai.azure.com/openai/deployments/gpt-5", "azure.ai.openai"),
        ("https://r.services.ai.azure.com/api/projects/p/openai/v1", "azure.ai.openai"),
        ("https://r.services.ai.azure.com/anthropic", "anthropic"),
        ("https://r.services.ai.azure.com/models", "azure.ai.inference"),
        ("https://e.westeurope.models.ai.azure.com", "azure.ai.inference"),
        ("https://e.westeurope.inference.ml.azure.com/score", "azureml"),
    ],
)
def test_provider_is_that_of_the_endpoint(url, provider):
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.tracing import TracedCall
    from azml_magics.core.wire.base import Call
    from azml_magics.core.wire.registry import wire_for

    config = LLMConfig(endpoint_url=url, formatter="openai-chat" if "/score" in url else "")
    traced = TracedCall(Call(config, []), wire_for(config), url, tuple)
    assert traced.provider == provider
    assert traced.model == ("gpt-5" if "deployments" in url else "")


# ---- retries, refusals, failures


def test_every_attempt_says_why_it_was_needed(server, config_of, spans, monkeypatch):
    monkeypatch.setattr("azml_magics.core.http.retry._FIRST_DELAY", 0.001)
    server.respond_with(reply("", 503), reply("", 429, retry_after="0"), reply(HI))
    client.invoke(config_of(max_retries=2), "hello")
    attempts = spans("POST")
    assert [each.attributes["http.response.status_code"] for each in attempts] == [503, 429, 200]
    assert [each.attributes.get("http.request.resend_count") for each in attempts] == [None, 1, 2]
    assert [each.attributes.get("azml_magics.retry.reason") for each in attempts] == [None, "503", "429"]
    assert [each.attributes.get("error.type") for each in attempts] == ["503", "429", None]
    assert len({seen.headers["traceparent"] for seen in server.received}) == 3
    span = only(spans("chat"))
    assert span.status.is_ok
    assert span.attributes["azml_magics.attempts"] == 3


def test_refused_call_fails_with_a_code_and_without_the_prompt(server, config_of, spans):
    server.respond_with(reply({"error": {"message": "no: 'my secret plan' is refused"}}, 400, x_request_id="r-3"))
    with pytest.raises(BadRequestError) as caught:
        client.invoke(config_of(), "my secret plan")
    span = only(spans("chat"))
    assert span.attributes["error.type"] == caught.value.error_code
    assert span.attributes["azure.service.request.id"] == "r-3"
    assert not span.status.is_ok
    assert "secret plan" not in "".join(map(text_of, spans()))


def test_rate_limited_call_has_the_code_of_its_error(server, config_of, spans):
    server.respond_with(reply("", 429))
    with pytest.raises(RateLimitError) as caught:
        client.invoke(config_of(), "hello")
    assert only(spans("chat")).attributes["error.type"] == caught.value.error_code


def test_unreachable_server_is_an_attempt_that_failed(config_of, spans):
    with pytest.raises(AzmlError):
        client.invoke(config_of().merged(endpoint_url="http://127.0.0.1:1/v1/chat/completions"), "hello")
    assert only(spans("POST")).attributes["error.type"] == "connect-error"
    assert not only(spans("chat")).status.is_ok


@pytest.mark.parametrize("content", ["", "true"])
def test_no_span_has_the_key(server, config_of, spans, monkeypatch, content):
    monkeypatch.setenv(CONTENT, content)
    echo = {**HI, "model": f"tiny {KEY}", "choices": [{"message": {"content": f"your key is {KEY}"}}]}
    server.respond_with(reply(echo), reply({"error": {"message": f"bad key {KEY}"}}, 401))
    config = config_of(model=f"m-{KEY}", model_kwargs={"stop": [KEY]})
    client.invoke(config, f"is {KEY} right?")
    with pytest.raises(AzmlError):
        client.invoke(config, "hello")
    said = "".join(map(text_of, spans()))
    assert KEY not in said
    assert "authorization" not in said.lower()


# ---- streams


def test_stream_ends_its_span_when_it_ends(server, config_of, spans):
    server.respond_with(streamed(*DONE))
    stream = client.stream(config_of(), "hello")
    assert not spans()
    chunks = iter(stream)
    next(chunks)
    assert [span.name for span in spans()] == ["POST"]
    assert "".join(chunk.text for chunk in chunks) == "i"
    assert only(spans("chat")).attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_consumer_of_a_stream_keeps_its_own_current_span(server, config_of, spans):
    from opentelemetry import trace

    server.respond_with(streamed(*DONE))
    for _ in client.stream(config_of(), "hello"):
        assert not trace.get_current_span().get_span_context().is_valid


def test_closed_stream_ends_its_span_without_error(server, config_of, spans):
    server.respond_with(streamed(*DONE))
    with client.stream(config_of(), "hello") as stream:
        next(iter(stream))
    span = only(spans("chat"))
    assert span.status.is_ok
    assert "gen_ai.response.finish_reasons" not in span.attributes
    assert span.attributes["gen_ai.response.model"] == "tiny"


async def test_closed_async_stream_ends_its_span(server, config_of, spans):
    server.respond_with(streamed(*DONE))
    async with client.astream(config_of(), "hello") as stream:
        await anext(aiter(stream))
    assert only(spans("chat")).status.is_ok


def test_broken_stream_fails_with_what_had_arrived(server, config_of, spans):
    head = streamed(delta("h")).removesuffix(b"0\r\n\r\n")
    server.respond_with(fault(head))
    with pytest.raises(StreamInterruptedError):
        list(client.stream(config_of(), "hello"))
    span = only(spans("chat"))
    assert span.attributes["error.type"] == StreamInterruptedError.error_code
    assert span.attributes["gen_ai.response.model"] == "tiny"


def test_interrupted_stream_ends_its_span(server, config_of, spans):
    server.respond_with(streamed(*DONE))
    stream = client.stream(config_of(), "hello")
    next(iter(stream))
    with pytest.raises(Interrupted):
        iter(stream).throw(KeyboardInterrupt)
    assert only(spans("chat")).attributes["error.type"] == "interrupted"


async def test_cancelled_call_ends_its_span(server, config_of, spans):
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(connection, request):
        loop.call_soon_threadsafe(asked.set)
        connection.recv(1)  # until the client leaves
        return False

    server.respond_with(hang)
    task = asyncio.create_task(client.ainvoke(config_of(), "hello"))
    await asyncio.wait_for(asked.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert only(spans("chat")).attributes["error.type"] == "CancelledError"
    assert only(spans("POST")).attributes["error.type"] == "CancelledError"


# ---- content


def test_content_is_off_by_default(call, config_of, spans):
    call(config_of(system="Be brief."), "hello")
    assert not {"hello", "Be brief."} & {word for span in spans() for word in map(str, span.attributes.values())}
    assert not any("messages" in name for span in spans() for name in span.attributes)


def test_content_has_the_form_of_the_conventions(call, config_of, spans, monkeypatch):
    monkeypatch.setenv(CONTENT, "true")
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked = [
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, picture]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "Faro"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    call(config_of(system="Be brief."), asked)
    attributes = only(spans("chat")).attributes
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Weather?"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "", "characters": 26},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": "Faro"}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
    ]
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}
    ]


def test_system_text_of_claude_stands_apart(server, config_of, spans, monkeypatch):
    monkeypatch.setenv(CONTENT, "true")
    server.respond_with(reply({"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}))
    client.invoke(config_of("/anthropic/v1/messages", model="claude-sonnet-4-6", system="Be brief."), "hello")
    attributes = only(spans("chat")).attributes
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    assert [message["role"] for message in json.loads(attributes["gen_ai.input.messages"])] == ["user"]
    assert attributes["gen_ai.provider.name"] == "anthropic"


# ---- who traces what


def test_calls_that_another_library_traces_have_no_span(call, config_of, server, spans):
    from opentelemetry import trace

    with trace.get_tracer_provider().get_tracer("langchain").start_as_current_span("theirs") as theirs, without_spans():
        call(config_of(), "hello")
    assert [span.name for span in spans()] == ["theirs"]
    assert f"{theirs.get_span_context().span_id:016x}" in server.received[0].headers["traceparent"]


def test_httpx_instrumentation_makes_the_attempts_itself(call, config_of, server, spans):
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.httpx", reason="it is in the test extra")
    from opentelemetry import trace

    instrumentor = instrumentation.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=trace.get_tracer_provider())
    try:
        call(config_of(), "hello")
    finally:
        instrumentor.uninstrument()
    parent, attempt = only(spans("chat")), only(spans("POST"))
    assert attempt.instrumentation_scope.name == "opentelemetry.instrumentation.httpx"
    assert attempt.parent.span_id == parent.context.span_id
    assert parent.attributes["azml_magics.attempts"] == 1
    assert "traceparent" in server.received[0].headers


def test_span_that_is_not_sampled_still_sends_the_trace(call, config_of, server, monkeypatch):
    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    monkeypatch.setattr(trace, "get_tracer_provider", lambda: TracerProvider(sampler=ALWAYS_OFF))
    assert call(config_of(), "hello") == "hi"
    assert not int(server.received[0].headers["traceparent"][-2:], 16) & 1

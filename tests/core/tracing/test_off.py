"""Without a tracer, and with tracers that fail, a call is the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from azml_magics.core import client
from azml_magics.core.config import LLMConfig
from azml_magics.core.tracing import is_tracing
from tests.core.server import delta, reply, streamed

HI = {"model": "tiny", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
EVENTS = [delta("h"), delta("i", finish_reason="stop"), b"[DONE]"]


def test_call_does_not_import_opentelemetry_or_mlflow(server, config_of):
    server.respond_with(reply(HI))
    code = (
        "import sys, azml_magics\n"
        f"config = azml_magics.LLMConfig(endpoint_url='{server.url}/v1/chat/completions', key='none')\n"
        "print(azml_magics.invoke(config, 'hello').text)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('opentelemetry', 'mlflow')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["hi", "[]"], done.stderr
    assert "traceparent" not in server.received[0].headers


def test_api_without_a_provider_traces_nothing(server, config_of):
    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    server.respond_with(reply(HI))
    assert not is_tracing()
    assert client.invoke(config_of(), "hello").text == "hi"
    assert "traceparent" not in server.received[0].headers


def test_provider_that_does_nothing_traces_nothing(monkeypatch):
    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    assert not is_tracing()


# ---- tracers that fail


class Broken:
    """A tracer provider, tracer, span, processor and exporter of which everything fails after `working` uses."""

    def __init__(self, working: int = 0) -> None:
        self.working = working

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        self.working -= 1
        if self.working < 0:
            raise RuntimeError("the tracer is broken")
        return lambda *args, **kwargs: self


@pytest.mark.parametrize("working", range(12))
@pytest.mark.parametrize("is_stream", [False, True], ids=["invoke", "stream"])
def test_broken_tracer_never_breaks_a_call(server, config_of, monkeypatch, is_stream, working):
    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    broken = Broken(working)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: broken)
    server.respond_with(streamed(*EVENTS) if is_stream else reply(HI))
    if is_stream:
        text = "".join(chunk.text for chunk in client.stream(config_of(), "hello"))
    else:
        text = client.invoke(config_of(), "hello").text
    assert text == "hi"
    assert not trace.get_current_span().get_span_context().is_valid


def test_broken_span_processor_never_breaks_a_call(server, config_of, monkeypatch):
    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    class Raises(SpanProcessor):
        def on_start(self, span, parent_context=None):
            raise RuntimeError("on_start")

        def on_end(self, span):
            raise RuntimeError("on_end")

    provider = TracerProvider()
    provider.add_span_processor(Raises())
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    server.respond_with(reply(HI))
    assert client.invoke(config_of(), "hello").text == "hi"


def test_exporter_that_never_returns_does_not_delay_a_call(server, config_of, monkeypatch):
    import threading

    trace = pytest.importorskip("opentelemetry.trace", reason="the tracing tools are in the test extra")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    exporting, release = threading.Event(), threading.Event()

    class Hangs(SpanExporter):
        def export(self, spans):
            exporting.set()
            release.wait(60)
            return SpanExportResult.FAILURE

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Hangs(), schedule_delay_millis=10))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    server.respond_with(reply(HI))
    client.invoke(config_of(), "hello")
    assert exporting.wait(30)
    assert client.invoke(config_of(), "hello").text == "hi", "while the exporter hangs"
    assert not release.is_set()
    release.set()
    provider.shutdown()


def test_config_that_cannot_be_sent_has_no_span(spans):
    with pytest.raises(ValueError, match="No endpoint URL"):
        client.invoke(LLMConfig(), "hello")
    assert not spans()

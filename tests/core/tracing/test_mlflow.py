"""Client(mlflow=True): what MLflow is told, by a stand-in for its API. The real one: tests/real_components."""

from __future__ import annotations

import contextlib
import sys
from contextvars import ContextVar
from types import ModuleType

import pytest

from azml_magics import AsyncClient, Client, map_rows
from azml_magics.core import client as default
from azml_magics.core.errors import AzmlError, ConfigError, MissingPackageError
from azml_magics.core.tracing import choose_tracers
from tests.core.conftest import KEY
from tests.core.server import delta, reply, streamed

USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "prompt_tokens_details": {"cached_tokens": 4}}
CHOICE = {"message": {"role": "assistant", "content": f"hi, {KEY}"}, "finish_reason": "stop"}
HI = {"id": "chatcmpl-1", "model": "gpt-5-mini-2025", "choices": [CHOICE], "usage": USAGE}


class Span:
    """A span of the stand-in."""

    def __init__(self, name, span_type, parent=None, inputs=None, attributes=None):
        self.name, self.span_type, self.parent = name, span_type, parent
        self.inputs, self.outputs, self.status, self.is_ended = inputs, None, None, False
        self.attributes = dict(attributes or {})

    def set_inputs(self, inputs):
        self.inputs = inputs

    def set_outputs(self, outputs):
        self.outputs = outputs

    def set_attribute(self, name, value):
        self.attributes[name] = value

    def set_attributes(self, attributes):
        self.attributes.update(attributes)

    def set_status(self, status):
        self.status = status

    def end(self):
        self.is_ended = True


class MLflow(ModuleType):
    """The part of MLflow's API that is used."""

    __version__ = "3.17.2"

    def __init__(self):
        super().__init__("mlflow")
        self.spans = []
        self._active = ContextVar("active", default=None)

    def get_current_active_span(self):
        return self._active.get()

    def start_span_no_context(self, name, span_type, parent_span=None, inputs=None, attributes=None):
        self.spans.append(Span(name, span_type, parent_span, inputs, attributes))
        return self.spans[-1]

    @contextlib.contextmanager
    def start_span(self, name, span_type, attributes=None):
        span = Span(name, span_type, self._active.get(), attributes=attributes)
        self.spans.append(span)
        token = self._active.set(span)
        try:
            yield span
        finally:
            self._active.reset(token)
            span.end()


@pytest.fixture
def mlflow(monkeypatch):
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    monkeypatch.delenv("MLFLOW_USE_DEFAULT_TRACER_PROVIDER", raising=False)
    module = MLflow()
    monkeypatch.setitem(sys.modules, "mlflow", module)
    yield module
    default.trace_default_clients(mlflow=False)


def test_call_has_messages_model_and_tokens(server, config_of, mlflow):
    server.respond_with(reply(HI))
    with Client(mlflow=True) as client:
        client.invoke(config_of(model="gpt-5-mini", model_kwargs={"temperature": 0.5}), f"hello {KEY}")
    (span,) = mlflow.spans
    assert (span.name, span.span_type, span.parent, span.status) == ("chat gpt-5-mini", "CHAT_MODEL", None, "OK")
    assert span.is_ended
    assert span.inputs == {"messages": [{"role": "user", "content": "hello **********"}], "temperature": 0.5}
    assert span.outputs["choices"][0]["message"] == {"role": "assistant", "content": "hi, **********"}
    tokens = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14, "cache_read_input_tokens": 4}
    assert span.attributes["mlflow.chat.tokenUsage"] == tokens
    assert span.attributes["mlflow.llm.model"] == "gpt-5-mini-2025"
    assert span.attributes["gen_ai.response.id"] == "chatcmpl-1"
    assert KEY not in str(vars(span))


async def test_async_stream_is_traced(server, config_of, mlflow):
    server.respond_with(streamed(delta("h"), delta("i", finish_reason="stop"), b"[DONE]"))
    async with AsyncClient(mlflow=True) as client, client.stream(config_of(), "hello") as stream:
        async for _ in stream:
            pass
    (span,) = mlflow.spans
    assert span.is_ended
    assert span.outputs["choices"][0]["message"]["content"] == "hi"


def test_rows_are_below_their_run(echo_config, mlflow):
    with Client(mlflow=True) as client:
        map_rows(echo_config, "say {word}", [{"word": "a"}, {"word": "b"}], client=client)
    run, *calls = mlflow.spans
    assert (run.name, run.span_type, run.inputs) == ("map_rows", "CHAIN", {"prompt": "say {word}"})
    assert run.outputs["rows.done"] == 2
    assert [call.parent for call in calls] == [run, run]


@pytest.fixture
def echo_config(server, config_of):
    server.respond_with(reply(HI))
    return config_of()


def test_failed_call_has_its_code(server, config_of, mlflow):
    server.respond_with(reply({"error": {"message": f"no {KEY}"}}, 400))
    with Client(mlflow=True) as client, pytest.raises(AzmlError) as caught:
        client.invoke(config_of(), "hello")
    (span,) = mlflow.spans
    assert (span.status, span.attributes["error.type"]) == ("ERROR", caught.value.error_code)
    assert span.is_ended
    assert KEY not in str(vars(span))


def test_variable_leaves_content_out(server, config_of, mlflow, monkeypatch):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "false")
    server.respond_with(reply(HI), reply({"error": {"message": "no: hello"}}, 400))
    with Client(mlflow=True) as client:
        client.invoke(config_of(), "hello")
        with pytest.raises(AzmlError):
            client.invoke(config_of(), "hello")
    assert "hello" not in str([vars(span) for span in mlflow.spans])
    assert mlflow.spans[0].outputs is None


def test_default_clients_trace_after_they_were_closed(echo_config, mlflow):
    default.trace_default_clients(mlflow=True)
    default.close_default_clients()
    default.invoke(echo_config, "hello")
    default.trace_default_clients(mlflow=False)
    default.invoke(echo_config, "hello")
    assert len(mlflow.spans) == 1


def test_mlflow_that_raises_breaks_no_call(echo_config, mlflow, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("MLflow is broken")

    for name in ("start_span", "start_span_no_context", "get_current_active_span"):
        monkeypatch.setattr(mlflow, name, broken)
    with Client(mlflow=True) as client:
        assert client.invoke(echo_config, "hello").model == "gpt-5-mini-2025"
        (row,) = map_rows(echo_config, "say {word}", [{"word": "a"}], client=client)
        assert row["error"] is None


def test_mlflow_on_opentelemetrys_provider_has_every_call_once(mlflow, spans, monkeypatch):
    assert len(choose_tracers(mlflow=True)) == 2
    monkeypatch.setenv("MLFLOW_USE_DEFAULT_TRACER_PROVIDER", "false")
    assert [type(tracer).__name__ for tracer in choose_tracers(mlflow=True)] == ["MLflowTracer"]


# ---- without it, or too old


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_missing_mlflow_is_one_line(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingPackageError) as caught:
        kind(mlflow=True)
    assert "needs mlflow" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_old_mlflow_is_one_line(monkeypatch):
    old = ModuleType("mlflow")
    old.__version__ = "2.22.0"
    monkeypatch.setitem(sys.modules, "mlflow", old)
    with pytest.raises(ConfigError) as caught:
        Client(mlflow=True)
    assert str(caught.value).startswith("Tracing into MLflow needs mlflow 3 or later, and this is mlflow 2.22.0. Run ")

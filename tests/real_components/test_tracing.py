"""Traces where people read them: MLflow's server (by its own client and by OTLP), LangSmith's bridge."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

# Sends calls of every kind, with an httpx client that answers in this process.
CALLS = """
import os
import httpx
from azml_magics import Client, LLMConfig, map_rows
from azml_magics.errors import BadRequestError
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
def reply(request):
    if b"refused" in request.content:
        return httpx.Response(400, json={"error": {"message": "no"}})
    choice = {"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    return httpx.Response(200, json={"id": "chatcmpl-1", "model": "gpt-5-mini-2025", "choices": [choice], "usage": USAGE})
config = LLMConfig(endpoint_url="https://r.openai.azure.com/openai/v1", model="gpt-5-mini", formatter="openai-chat",
                   key="env:TRACED_KEY", name="prod", max_retries=0, model_kwargs={"temperature": 0.5})
os.environ["TRACED_KEY"] = "k3y-0123456789abcdef-KEEP-OUT"
def send(**options):
    with Client(http_client=httpx.Client(transport=httpx.MockTransport(reply)), **options) as client:
        client.invoke(config, "hello")
        with client.stream(config, "hello") as stream:
            list(stream)
        map_rows(config, "say {word}", [{"word": "a"}, {"word": "b"}], client=client)
        try:
            client.invoke(config, "refused")
        except BadRequestError:
            pass
"""
READ = """
import mlflow
def read(uri, experiment="0"):
    mlflow.set_tracking_uri(uri)
    traces = mlflow.search_traces(locations=[experiment], return_type="list")
    return [
        [str(trace.info.state), trace.info.token_usage or {}, [
            [span.name, span.span_type, str(span.status.status_code), span.parent_id is None, dict(span.attributes)]
            for span in trace.data.spans
        ]]
        for trace in traces
    ]
"""


def by_root(traces):
    """The traces by the name of their first span, each as (state, usage, spans)."""
    found = {}
    for state, usage, spans in traces:
        (root,) = (span for span in spans if span[3])
        found.setdefault(root[0], []).append((state, usage, spans))
    return found


@pytest.mark.parametrize("way", ["client", "otlp"])
def test_mlflow_server_has_calls_and_rows(run_tool, mlflow_server, way):
    begin = {
        "client": """
import mlflow
mlflow.set_tracking_uri(URI)
experiment = mlflow.set_experiment("by client").experiment_id
send(mlflow=True)
mlflow.flush_trace_async_logging()
""",
        "otlp": """
import mlflow
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
mlflow.set_tracking_uri(URI)
experiment = mlflow.set_experiment("by OTLP").experiment_id
exporter = OTLPSpanExporter(endpoint=URI + "/v1/traces", headers={"x-mlflow-experiment-id": experiment})
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)
send()
provider.force_flush()
""",
    }
    code = f"URI = {mlflow_server!r}\n{CALLS}{READ}{begin[way]}\nout = read(URI, experiment)"
    traces = run_tool("mlflow", code)
    assert "KEEP-OUT" not in str(traces)
    found = by_root(traces)
    assert sorted((name, len(each)) for name, each in found.items()) == [("chat gpt-5-mini", 3), ("map_rows", 1)]
    assert sorted(state.rpartition(".")[2] for state, _, _ in found["chat gpt-5-mini"]) == ["ERROR", "OK", "OK"]
    _, usage, spans = found["map_rows"][0]
    assert usage["total_tokens"] == 28
    assert sum(span[0] == "chat gpt-5-mini" for span in spans) == 2


def test_mlflow_traces_cells_and_what_they_call(run_tool, mlflow_server):
    code = f"""
URI = {mlflow_server!r}
{CALLS}{READ}
from IPython.core.interactiveshell import InteractiveShell
from azml_magics.emulator import Emulator
mlflow.set_tracking_uri(URI)
experiment = mlflow.set_experiment("cells").experiment_id
shell = InteractiveShell.instance()
with Emulator(key=os.environ["TRACED_KEY"]) as endpoint:
    shell.user_ns["words"] = ["a", "b"]
    for cell in (
        "%load_ext azml_magics",
        "%config AzureMLMagics.mlflow = True",
        f"%azureml save prod --url {{endpoint.url}}/v1/chat/completions --key env:TRACED_KEY",
        "%%azureml prod\\nWrite a haiku.",
        "%%azureml prod --each $words\\nWrite about {{text}}.",
        "import azml_magics; azml_magics.invoke(azml_magics.session.current().get('prod'), 'hello')",
        "%config AzureMLMagics.mlflow = False",
        "%%azureml prod\\nThis one is not traced.",
    ):
        done = shell.run_cell(cell)
        assert done.success, done
mlflow.flush_trace_async_logging()
out = read(URI, experiment)
"""
    traces = run_tool("mlflow", code)
    assert "KEEP-OUT" not in str(traces)
    assert "not traced" not in str(traces)
    found = by_root(traces)
    assert sorted((name, len(each)) for name, each in found.items()) == [("cell", 2), ("chat", 1)]
    names = sorted(sorted(span[0] for span in spans) for _, _, spans in found["cell"])
    assert names == [["cell", "chat"], ["cell", "chat", "chat", "map_rows"]]
    shown = next(spans for _, _, spans in found["cell"] if len(spans) == 2)
    assert "Write a haiku." in str(shown)


def test_mlflow_server_that_is_down_does_not_hold_up_a_call(run_tool):
    code = f"""
import os
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # for the end of this program
{CALLS}
import mlflow
mlflow.set_tracking_uri("http://127.0.0.1:1")
send(mlflow=True)
out = "sent"
"""
    assert run_tool("mlflow", code) == "sent"


def test_collector_that_is_down_does_not_hold_up_a_call(run_tool):
    code = f"""
{CALLS}
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("http://127.0.0.1:1/v1/traces", timeout=1)))
trace.set_tracer_provider(provider)
send()
out = "sent"
"""
    assert run_tool("mlflow", code) == "sent"


def test_langsmith_has_calls_and_no_span_twice(run_tool):
    code = f"""
{CALLS}
from tests.real_components.otlp_stub import Stub
stub = Stub()
os.environ.update(LANGSMITH_OTEL_ENABLED="true", LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=stub.url,
                  LANGSMITH_API_KEY="ls-key", LANGSMITH_PROJECT="letters")
from langsmith import traceable
from langsmith.integrations.otel import configure
from langsmith.run_trees import get_cached_client
from opentelemetry import trace
from azml_magics.langchain import AzureMLChatOnlineEndpoint
configure()
sent = []
def answer(request):
    sent.append(request.headers.get("traceparent"))
    return reply(request)
@traceable
def work():
    with Client(http_client=httpx.Client(transport=httpx.MockTransport(answer))) as client:
        client.invoke(config, "hello")
work()
AzureMLChatOnlineEndpoint(
    endpoint_url="https://x.westeurope.inference.ml.azure.com/v1", endpoint_api_key=os.environ["TRACED_KEY"],
    http_client=httpx.Client(transport=httpx.MockTransport(reply)), content_formatter="openai-chat",
).invoke("hello")
get_cached_client().flush()
trace.get_tracer_provider().force_flush()
path, headers, _ = stub.traces[0]
out = [path, headers["x-api-key"], headers["langsmith-project"], [span[:2] for span in stub.spans], sent, str(stub.spans)]
"""
    path, key, project, spans, sent, said = run_tool("mlflow", code)
    assert (path, key, project) == ("/otel/v1/traces", "ls-key", "letters")
    assert sorted(name for scope, name in spans if scope == "azml_magics") == ["POST", "chat gpt-5-mini"]
    assert sorted(name for scope, name in spans if scope == "langsmith") == ["AzureMLChatOnlineEndpoint", "work"]
    assert sent[0].startswith("00-")
    assert "KEEP-OUT" not in said

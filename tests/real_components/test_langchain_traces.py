"""Traces of the LangChain classes where people read them: MLflow (autolog, models from code), LangSmith with a stub."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real_component

MODEL = """
import os
import mlflow
from azml_magics.emulator import Emulator
from azml_magics.langchain import AzureMLChatOnlineEndpoint
endpoint = Emulator().__enter__()
os.environ["AZUREML_ENDPOINT_URL"] = endpoint.url + "/v1/chat/completions"
os.environ["AZUREML_ENDPOINT_API_KEY"] = endpoint.key
mlflow.set_tracking_uri("sqlite:///mlflow.db")
"""


def test_autolog_has_one_span_with_provider_and_tokens(run_tool):
    out = run_tool(
        "mlflow",
        MODEL
        + """
mlflow.langchain.autolog()
chat = AzureMLChatOnlineEndpoint(model="demo")
chat.invoke("Name a river.")
list(chat.stream("Name a river."))
mlflow.flush_trace_async_logging()
traces = mlflow.search_traces(return_type="list")
out = {
    "spans": [[[span.name, span.span_type] for span in trace.data.spans] for trace in traces],
    "attributes": [dict(span.attributes) for trace in traces for span in trace.data.spans],
    "usage": [trace.info.token_usage for trace in traces],
    "text": str([[span.attributes, span.inputs, span.outputs] for trace in traces for span in trace.data.spans]),
    "key": endpoint.key,
}
""",
    )
    assert out["spans"] == [[["AzureMLChatOnlineEndpoint", "CHAT_MODEL"]]] * 2, "no span of ours beside LangChain's"
    assert {each["mlflow.llm.provider"] for each in out["attributes"]} == {"azureml"}
    assert {each["mlflow.llm.model"] for each in out["attributes"]} == {"demo"}
    assert [each["total_tokens"] for each in out["usage"]] == [13, 13]
    assert out["key"] not in out["text"]


def test_model_from_code_is_logged_loaded_and_predicts(run_tool):
    out = run_tool(
        "mlflow",
        MODEL
        + '''
from pathlib import Path
Path("chain.py").write_text("""
import mlflow
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from azml_magics.langchain import AzureMLChatOnlineEndpoint

prompt = ChatPromptTemplate.from_template("Name {thing}.")
mlflow.models.set_model(prompt | AzureMLChatOnlineEndpoint() | StrOutputParser())
""")
with mlflow.start_run():
    logged = mlflow.langchain.log_model(lc_model="chain.py", name="rivers", input_example={"thing": "a river"})
loaded = mlflow.langchain.load_model(logged.model_uri)
served = mlflow.pyfunc.load_model(logged.model_uri)
out = {"invoke": loaded.invoke({"thing": "a river"}), "predict": served.predict([{"thing": "a river"}])}
saved = Path("mlruns").rglob("*") if Path("mlruns").exists() else Path().rglob("*")
out["leaks"] = [str(path) for path in Path().rglob("*") if path.is_file() and endpoint.key.encode() in path.read_bytes()]
''',
    )
    assert out["invoke"] == "The Danube"
    assert out["predict"] == ["The Danube"]
    assert out["leaks"] == []


def test_langsmith_gets_provider_model_and_token_details(run_tool):
    out = run_tool(
        "mlflow",
        MODEL
        + """
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from langchain_core.tracers.langchain import LangChainTracer, wait_for_all_tracers
from langsmith import Client

sent = {}

class Stub(BaseHTTPRequestHandler):
    def do_POST(self):
        data = json.loads(self.rfile.read(int(self.headers["content-length"])))
        run = sent.setdefault(data.get("id") or self.path.rpartition("/")[2], {})
        run.update(data)
        self.send_response(202)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    do_PATCH = do_POST
    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
tracer = LangChainTracer(client=Client(api_url=url, api_key="none", auto_batch_tracing=False, info={}))
chat = AzureMLChatOnlineEndpoint(model="reasoning")
chat.invoke("Why is the sky blue?", {"callbacks": [tracer]})
list(chat.stream("Why is the sky blue?", {"callbacks": [tracer]}))
wait_for_all_tracers()
out = {"metadata": [run["extra"]["metadata"] for run in sent.values()], "leaks": endpoint.key in json.dumps(sent)}
""",
    )
    assert len(out["metadata"]) == 2
    for metadata in out["metadata"]:
        assert metadata["ls_provider"] == "azureml"
        assert metadata["ls_model_name"].startswith("reasoning")
        assert metadata["usage_metadata"]["output_token_details"]["reasoning"] > 0
    assert not out["leaks"]

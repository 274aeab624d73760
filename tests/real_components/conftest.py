"""Fixtures: prompt flow's server and LiteLLM's proxy, installed and started when a test first asks for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real_server.environment import CHECKOUT, Unavailable, python_of

from .program import Program

PROMPT_FLOW = "promptflow>=1.18,<2"
LITELLM = "litellm[proxy]==1.108.7"  # exactly: a release of it was malicious once (1.107.0)
FLOWS = Path(__file__).with_name("flows")
PROXY_KEY = "sk-litellm-0123456789"

ServeFlow = Callable[[str], Program]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a server of others unless they are requested: the first run installs over 1 GB."""
    reason = ""
    if sys.platform == "win32":
        reason = "the servers are started and ended in POSIX process groups"
    elif os.environ.get("AZML_REAL_COMPONENTS", "") in {"", "0"}:
        reason = "set AZML_REAL_COMPONENTS=1 to install and run prompt flow and LiteLLM (1.2 GB, .ci/run does)"
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

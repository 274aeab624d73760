"""Fixtures: the real scoring server, one process group per scoring script, started when a test first asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from azml_magics import LLMConfig, Secret

from .server import RealServer

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-real-server-0123456789"

Serve = Callable[..., RealServer]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need the server unless it is requested: the first run installs 90 MB."""
    reason = ""
    if sys.platform == "win32":
        reason = "azmlinfsrv runs another server on Windows (waitress); these tests speak of gunicorn"
    elif os.environ.get("AZML_REAL_SERVER", "") in {"", "0"}:
        reason = "set AZML_REAL_SERVER=1 to install and run Microsoft's scoring server (90 MB, .ci/run does)"
    for item in items:
        if reason and item.get_closest_marker("real_server"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def real_python() -> Path:
    """The Python of the environment in which azureml-inference-server-http is installed."""
    from .environment import Unavailable, default_folder, python_of

    try:
        return python_of(default_folder())
    except Unavailable as error:
        pytest.skip(f"azureml-inference-server-http cannot be installed: {error}")


@pytest.fixture(scope="session")
def serve(real_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve("gpt2")` is a running server with scoring/gpt2.py; the same one for the whole session."""
    running: dict[str, RealServer] = {}

    def serve(script: str, **environment: str) -> RealServer:
        if script not in running:
            running[script] = RealServer(real_python, script, tmp_path_factory.mktemp(script), **environment)
        return running[script]

    yield serve
    for server in running.values():
        server.stop()  # all at once, so that they end side by side
    for server in running.values():
        server.close()


@pytest.fixture
def config_of(serve: Serve) -> Callable[..., LLMConfig]:
    """`config_of("gpt2", temperature=0)` is a config for that server; the script's name names the formatter, too.

    It asks once (max_retries=0) unless told otherwise, so that a failure is one failure.
    """

    def config_of(script: str, formatter: str = "openai", **kwargs: object) -> LLMConfig:
        return LLMConfig(
            name=script,
            endpoint_url=serve(script).url,
            formatter=formatter,
            key=Secret(KEY),
            model_kwargs=kwargs,
            max_retries=0,
            timeout=60,
        )

    return config_of

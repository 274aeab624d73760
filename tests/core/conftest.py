"""One scripted server for each test that asks for one, and a config that points to it."""

from __future__ import annotations

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.secret import Secret

from .server import Server

KEY = "k3y-0123456789abcdef-KEEP-OUT"


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def config_of(server):
    """A config for a route of the server; never retries unless told."""

    def make(path: str = "/v1/chat/completions", **fields) -> LLMConfig:
        fields = {"name": "prod", "key": Secret(KEY), "timeout": 20, "max_retries": 0, **fields}
        return LLMConfig(endpoint_url=server.url + path, **fields)

    return make

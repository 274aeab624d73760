"""LangChain's standard tests for chat models on llama.cpp's server with SmolLM2.

What is skipped, and why: tools, because SmolLM2's chat template has no place for them and llama.cpp ignores them then;
JSON mode, because a model of this size does not end the object that it begins; pictures, sound and PDF files, because
the model reads text alone. Schemas pass: the server holds the model to a grammar.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from azml_magics.langchain import AzureMLChatOnlineEndpoint

from .conftest import CHECKOUT, TOOLS, _bin

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real_component

integration_tests = pytest.importorskip(
    "langchain_tests.integration_tests", reason="LangChain's standard tests are in the test extra"
)

_SERVE = """
import sys
from azml_magics.local_model import LocalModel, find_weights
with LocalModel(find_weights()) as model:
    print(model.url, model.key, flush=True)
    sys.stdin.read()
"""


class Server(NamedTuple):
    url: str
    key: str


@pytest.fixture(scope="module")
def llama() -> Iterator[Server]:
    """llama.cpp's server."""
    program = subprocess.Popen(
        [str(_bin("local-model", TOOLS["local-model"]) / "python"), "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(CHECKOUT)},
    )
    assert program.stdout is not None
    yield Server(*program.stdout.readline().split())
    program.communicate(timeout=60)


class TestOnLlamaCpp(integration_tests.ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _server(self, llama: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        type(self).server = llama
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "azml-magics")

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def structured_output_kwargs(self) -> dict[str, str]:
        return {"method": "json_schema"}

    @property
    def chat_model_class(self):
        return AzureMLChatOnlineEndpoint

    @property
    def chat_model_params(self):
        return {
            "endpoint_url": self.server.url,
            "endpoint_api_key": self.server.key,
            "max_tokens": 200,
            "temperature": 0,
        }

"""%azureml demo: the embedded endpoint, in this kernel or beside JupyterLab, and a config for each of its dialects."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from azml_magics.core.config import LLMConfig
from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import ConfigError
from azml_magics.core.keys import KeyRef
from azml_magics.display.outputs import TextOutput

if TYPE_CHECKING:
    from azml_magics.emulator import Emulator

    from ..context import NotebookContext

DEMO_KEY_VARIABLE = "AZML_DEMO_KEY"
DEMO_URL_VARIABLE = "AZML_DEMO_URL"  # of the endpoint that `azml-magics demo --lab` runs for all kernels
_TOKENS_PER_SECOND = 80.0


def start_demo(context: NotebookContext) -> TextOutput:
    """Start the local endpoint (once), or take JupyterLab's, and save a config for each way to speak to it."""
    shared = _shared_demo() if context.state.demo_endpoint is None else ""
    url = shared or _start_demo(context)
    key = KeyRef("env", DEMO_KEY_VARIABLE)
    configs = {
        "demo": LLMConfig(endpoint_url=f"{url}/v1/chat/completions", formatter="openai-chat", key=key),
        "demo-chat": LLMConfig(endpoint_url=f"{url}/chat/completions", formatter="openai-chat", key=key),
        "demo-llama2": LLMConfig(
            endpoint_url=f"{url}/score", formatter="openai-chat", deployment_name="llama2", key=key
        ),
        "demo-gpt2": LLMConfig(endpoint_url=f"{url}/score", formatter="gpt2", deployment_name="gpt2-2023-06", key=key),
        "demo-hf": LLMConfig(endpoint_url=f"{url}/score", formatter="hf", deployment_name="hf", key=key),
        "demo-dolly": LLMConfig(endpoint_url=f"{url}/score", formatter="dolly", deployment_name="dolly", key=key),
    }
    for name, config in configs.items():
        context.session.save(name, config, source="demo")
    context.session.use("demo")
    return TextOutput(
        f"A demo endpoint is running {'beside JupyterLab' if shared else 'in this kernel'}. "
        "It needs no Azure account,\n"
        "and it is not a language model: its answers follow from the prompt by simple rules.\n\n"
        f"Configs: {', '.join(configs)}. In use: demo.\n\n"
        "Try it:\n    %%azureml\n    Write a haiku about sparkling water."
    )


def _shared_demo() -> str:
    """The URL of the endpoint that runs beside JupyterLab, "" where there is none."""
    url = os.environ.get(DEMO_URL_VARIABLE, "")
    if not url:
        return ""
    try:
        origin = Origin.of(url)
        with socket.create_connection((origin.host, origin.port), timeout=1):
            return url
    except (OSError, ValueError):  # its JupyterLab has ended
        return ""


def demo_endpoint() -> Emulator:
    """A demo endpoint with a key of its own, to be started; ImportError without the demo extra."""
    import secrets

    from azml_magics.emulator import Emulator

    return Emulator(key=f"demo-{secrets.token_hex(8)}", rate=_TOKENS_PER_SECOND)


def _start_demo(context: NotebookContext) -> str:
    """The URL of this kernel's demo endpoint, started if it is not running."""
    running = context.state.demo_endpoint
    if running is None:
        try:
            running = demo_endpoint()
        except ImportError as error:
            raise ConfigError(
                "The demo endpoint needs the demo extra", remedy='Run pip install "azml-magics[demo]".'
            ) from error
        try:
            running.start()
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"The demo endpoint did not start: {error}", remedy="Run %azureml demo again.") from error
        before = os.environ.get(DEMO_KEY_VARIABLE)
        os.environ[DEMO_KEY_VARIABLE] = running.key
        context.state.demo_endpoint = running
        context.on_exit(running.stop)
        context.on_exit(lambda: _put_back(before))
    return str(running.url)


def _put_back(key: str | None) -> None:
    """The demo's variable as it was before the demo."""
    os.environ.pop(DEMO_KEY_VARIABLE, None)
    if key is not None:
        os.environ[DEMO_KEY_VARIABLE] = key

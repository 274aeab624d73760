"""%azureml demo: the embedded endpoint, in this kernel or beside JupyterLab, and a config for each wire format."""

from __future__ import annotations

import os
import socket
import textwrap
from typing import TYPE_CHECKING

from azml_magics.core.config import LLMConfig
from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import ConfigError
from azml_magics.core.install_hint import install_command
from azml_magics.core.keys import KeyRef
from azml_magics.display.text_output import TextOutput

if TYPE_CHECKING:
    from azml_magics.emulator import Emulator

    from ..context import NotebookContext

DEMO_KEY_VARIABLE = "AZML_DEMO_KEY"
DEMO_URL_VARIABLE = "AZML_DEMO_URL"  # of the endpoint that `azml-magics demo --lab` runs for all kernels
_TOKENS_PER_SECOND = 80.0
_WIDTH = 80  # characters that fit beside a side panel
_PORT = 8898  # the same in every run while it is free, because a saved notebook has the URL of each request


def start(context: NotebookContext) -> TextOutput:
    """Start the local endpoint (once), or use JupyterLab's, and save a config for each way to call it.

    Raises:
        ConfigError: The demo extra is not installed, or the endpoint does not start.
    """
    shared = find_shared_url(DEMO_URL_VARIABLE) if context.state.demo_endpoint is None else ""
    configs = _demo_configs(shared or _start_endpoint(context))
    for name, config in configs.items():
        context.session.save(name, config, source="demo")
    context.session.use("demo")
    # wrapped here: a front end would break the line inside a name
    configured = textwrap.fill(
        f"Configs: {', '.join(configs)}. In use: demo.", _WIDTH, subsequent_indent="  ", break_on_hyphens=False
    )
    return TextOutput(
        f"A demo endpoint runs {'beside JupyterLab' if shared else 'in this kernel'}: real requests, streams, usage "
        "and errors,\nprepared responses, no language model. For a real one: %azureml demo --model\n\n"
        f"{configured}\n\n"
        "Try it:\n    %%azureml\n    Write a haiku about sparkling water."
    )


def stop(context: NotebookContext) -> bool:
    """Stop this kernel's endpoint; return whether it was running."""
    running, context.state.demo_endpoint = context.state.demo_endpoint, None
    if running is None:
        return False
    running.stop()
    os.environ.pop(DEMO_KEY_VARIABLE, None)
    return True


def _demo_configs(url: str) -> dict[str, LLMConfig]:
    pinned = {  # name -> path, formatter, deployment
        "demo": ("/v1/chat/completions", "openai-chat", ""),
        "demo-chat": ("/chat/completions", "openai-chat", ""),
        "demo-llama2": ("/score", "openai-chat", "llama2"),
        "demo-gpt2": ("/score", "gpt2", "gpt2-2023-06"),
        "demo-hf": ("/score", "hf", "hf"),
        "demo-dolly": ("/score", "dolly", "dolly"),
    }
    named = {  # name -> path, formatter, model, model kwargs
        "demo-responses": ("/openai/v1/responses", "openai-responses", "gpt-5-mini", {"reasoning_summary": "auto"}),
        "demo-claude": ("/anthropic/v1/messages", "anthropic-messages", "claude-sonnet-4-6", {}),
        "demo-reasoning": ("/openai/v1/chat/completions", "openai-chat", "demo-reasoning", {}),
    }
    key = KeyRef("env", DEMO_KEY_VARIABLE)
    return {
        name: LLMConfig(endpoint_url=f"{url}{path}", formatter=formatter, deployment_name=deployment, key=key)
        for name, (path, formatter, deployment) in pinned.items()
    } | {
        name: LLMConfig(endpoint_url=f"{url}{path}", formatter=formatter, model=model, model_kwargs=kwargs, key=key)
        for name, (path, formatter, model, kwargs) in named.items()
    }


def find_shared_url(variable: str) -> str:
    """Return the URL in an environment variable that `azml-magics demo --lab` sets, if something listens there."""
    url = os.environ.get(variable, "")
    if not url:
        return ""
    try:
        origin = Origin.of(url)
        with socket.create_connection((origin.host, origin.port), timeout=1):
            return url
    except (OSError, ValueError):  # that JupyterLab has ended
        return ""


def make_endpoint(port: int = 0) -> Emulator:
    """Return a demo endpoint with its own key, not started yet.

    Args:
        port: Where it listens; 0 for any free port.

    Raises:
        ImportError: The demo extra is not installed.
    """
    import secrets

    from azml_magics.emulator import Emulator

    return Emulator(key=f"demo-{secrets.token_hex(8)}", rate=_TOKENS_PER_SECOND, port=port)


def _start_at_any_port(endpoint: Emulator) -> Emulator:
    """Start the endpoint, or another one at a free port if its own is taken."""
    try:
        return endpoint.start()
    except (OSError, RuntimeError):
        return make_endpoint().start()


def _start_endpoint(context: NotebookContext) -> str:
    """The URL of this kernel's demo endpoint, started if it is not running."""
    running = context.state.demo_endpoint
    if running is None:
        try:
            running = make_endpoint(_PORT)
        except ImportError as error:
            raise ConfigError(
                "The demo endpoint needs the demo extra", remedy=f"Run {install_command('demo')}."
            ) from error
        try:
            running = _start_at_any_port(running)
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"The demo endpoint did not start: {error}", remedy="Run %azureml demo again.") from error
        before = os.environ.get(DEMO_KEY_VARIABLE)
        os.environ[DEMO_KEY_VARIABLE] = running.key
        context.state.demo_endpoint = running
        context.on_exit(running.stop, survives_reload=True)
        context.on_exit(lambda: _restore_key(before), survives_reload=True)
    return str(running.url)


def _restore_key(key: str | None) -> None:
    """Set the key's variable to what it was before the demo; None if it was not set."""
    os.environ.pop(DEMO_KEY_VARIABLE, None)
    if key is not None:
        os.environ[DEMO_KEY_VARIABLE] = key

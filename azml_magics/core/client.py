"""Turns a config and a prompt into a Response, or a stream of Chunks; sync and async.

response = invoke(config, "Write a haiku about sparkling water.")
with stream(config, "…") as chunks:
    for chunk in chunks: print(chunk.text, end="")
chunks.response      # what has arrived, also after an interrupt or an error

A Client holds what calls share: connections, headers, a credential, timeouts, a rate limiter, a recorder. The functions
use a default client.
"""

from __future__ import annotations

from collections.abc import Sequence

from .async_client import AsyncClient
from .call import PreparedCall
from .config import LLMConfig
from .messages import Message
from .response import Response
from .stream import AsyncResponseStream, ResponseStream
from .sync_client import Client
from .tools import Tools

__all__ = [
    "AsyncClient",
    "AsyncResponseStream",
    "Client",
    "ResponseStream",
    "ainvoke",
    "astream",
    "default_async_client",
    "default_client",
    "fetch",
    "invoke",
    "prepare",
    "stream",
]

_default: Client | None = None
_default_async: AsyncClient | None = None
_mlflow = False  # of the default clients


def default_client() -> Client:
    """The client of `invoke`, `stream` and `fetch`; a new one if it was closed."""
    global _default  # noqa: PLW0603 - it keeps its connections for the next call
    if _default is None or _default.is_closed:
        _default = Client(mlflow=_mlflow)
    return _default


def default_async_client() -> AsyncClient:
    """The client of `ainvoke` and `astream`; a new one if it was closed."""
    global _default_async  # noqa: PLW0603 - it keeps its connections for the next call
    if _default_async is None or _default_async.is_closed:
        _default_async = AsyncClient(mlflow=_mlflow)
    return _default_async


def trace_default_clients(*, mlflow: bool) -> None:
    """Trace the calls of `invoke`, `stream` and the others into MLflow, or stop that.

    Raises:
        MissingPackageError: mlflow is not installed.
        ConfigError: It is too old.
    """
    global _mlflow  # noqa: PLW0603 - it belongs to the default clients, which live in this module
    default_client().traces_to_mlflow = mlflow
    default_async_client().traces_to_mlflow = mlflow
    _mlflow = mlflow


def close_default_clients() -> None:
    """Close the connections of the default clients; the next call makes new ones. Loops close theirs themselves."""
    default_client().close()


def invoke(config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None) -> Response:
    """Send a prompt and return the whole response: `Client.invoke` of the default client."""
    return default_client().invoke(config, prompt, tools=tools)


async def ainvoke(config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None) -> Response:
    """What `invoke` does, on the running event loop."""
    return await default_async_client().invoke(config, prompt, tools=tools)


def stream(config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None) -> ResponseStream:
    """Send a prompt and return the response as a stream of chunks: `Client.stream` of the default client."""
    return default_client().stream(config, prompt, tools=tools)


def astream(config: LLMConfig, prompt: str | Sequence[Message], *, tools: Tools | None = None) -> AsyncResponseStream:
    """What `stream` does, for the running event loop."""
    return default_async_client().stream(config, prompt, tools=tools)


def fetch(config: LLMConfig, url: str) -> bytes:
    """Get a description of an endpoint: `Client.fetch` of the default client."""
    return default_client().fetch(config, url)


def prepare(
    config: LLMConfig, prompt: str | Sequence[Message], *, stream: bool = False, with_key: bool = True
) -> PreparedCall:
    """Build the request of a call without sending it: `Client.prepare` of the default client."""
    return default_client().prepare(config, prompt, stream=stream, with_key=with_key)

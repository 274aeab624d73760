"""Builds the request of a call, with what a client adds to every config."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .call import PreparedCall
from .config import DEFAULT_TIMEOUT, LLMConfig
from .errors import AzmlError, ConfigError
from .headers import as_headers, merge_headers
from .http import auth
from .http.exchange import MAX_RESPONSE_BYTES, NetworkSettings, Request
from .messages import Message, as_messages
from .tracing import choose_tracers
from .wire.base import Call
from .wire.registry import wire_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .http.auth import Credentials
    from .key_sources import KeySource


@dataclass(frozen=True)
class ClientDefaults:
    """What a client adds to every config.

    Attributes:
        headers: Sent with every request; those of the config win.
        key: Takes the place of the config's key; None for the config's own.
        timeout: For configs that leave theirs at its default.
        total_timeout: For configs without one.
        max_response_bytes: The most bytes of a response.
        mlflow: Whether calls are traced into MLflow.
    """

    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    key: KeySource | None = field(default=None, repr=False)
    timeout: float | None = None
    total_timeout: float | None = None
    max_response_bytes: int = MAX_RESPONSE_BYTES
    mlflow: bool = False

    def __post_init__(self) -> None:
        """Check the values, as a config does."""
        object.__setattr__(self, "headers", as_headers(self.headers))  # frozen; keys among them become secrets
        LLMConfig(headers=self.headers, total_timeout=self.total_timeout, timeout=self.timeout or 1.0)
        if isinstance(self.max_response_bytes, bool) or self.max_response_bytes < 1:
            raise ConfigError(f"max_response_bytes must be a positive integer, not {self.max_response_bytes!r}")

    def apply(self, config: LLMConfig) -> LLMConfig:
        """Return the config that a call uses."""
        changes: dict[str, Any] = {}
        if self.headers:
            changes["headers"] = merge_headers(self.headers, config.headers)
        if self.key is not None:
            changes["key"] = self.key
        if self.timeout is not None and config.timeout == DEFAULT_TIMEOUT:
            changes["timeout"] = self.timeout
        if self.total_timeout is not None and config.total_timeout is None:
            changes["total_timeout"] = self.total_timeout
        return config.merged(**changes) if changes else config

    def request(self, config: LLMConfig, url: str, headers: Mapping[str, str], **fields: Any) -> Request:
        """Return a request with the config's settings."""
        fields = {"body": b"", **fields}
        return Request(
            url,
            headers,
            timeout=config.timeout,
            network=NetworkSettings(config.verify, config.proxy),
            total_timeout=config.total_timeout,
            max_bytes=self.max_response_bytes,
            **fields,
        )


class ResolveNow(Protocol):
    """Looks up the keys of a request to `url`, as `auth.resolve` does."""

    def __call__(self, config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials: ...


def prepare(
    config: LLMConfig,
    prompt: str | Sequence[Message],
    defaults: ClientDefaults,
    resolve: ResolveNow,
    *,
    stream: bool = False,
    with_key: bool = True,
) -> PreparedCall:
    """Build the request of a call without sending it.

    Args:
        config: The config of the call, with the client's defaults applied.
        prompt: A text, or OpenAI-style messages.
        defaults: Those of the client.
        resolve: Looks up the keys, and again after a 401.
        stream: Whether to ask for a stream, if the wire format can.
        with_key: Whether to look up the keys and put them into the headers.

    Raises:
        ConfigError: The config has no URL, no formatter or no key, or cannot be used otherwise.
        PromptError: The prompt cannot be encoded.
        FormatterError: A formatter of the user's own failed.
    """
    try:
        if not config.endpoint_url:
            raise ConfigError(
                "No endpoint URL", remedy="Set endpoint_url, or AZUREML_ENDPOINT_URL.", error_code="no-endpoint-url"
            )
        wire = wire_for(config)
        messages = as_messages(prompt, config.system, keep_items=wire.takes_items)
        call = Call(config, messages, stream=stream and wire.streams(config))
        payload = wire.encode(call)
        url = wire.url(config, stream=call.stream)
        credentials = resolve(config, url) if with_key else auth.NO_CREDENTIALS
        request = defaults.request(
            config,
            url,
            auth.request_headers(config, url, payload.headers, credentials),
            body=payload.body,
            stream=call.stream,
            fallback=payload.fallback,
            secrets=credentials.secrets,
            embedded=credentials.embedded,
        )
    except AzmlError as error:
        raise error.add_context(config=config.name) from error.__cause__
    tracers = choose_tracers(mlflow=defaults.mlflow)
    context = copy_context() if tracers else None
    return PreparedCall(call, wire, request, resolve, credentials, tracers=tracers, context=context)

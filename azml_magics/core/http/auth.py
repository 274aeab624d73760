"""The headers of a request, among them those that carry the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import endpoints
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import LLMConfig
    from ..secret import Secret


def resolve_key(config: LLMConfig, *, refresh: bool = False) -> Secret | None:
    """Look up the config's key; None if it has none.

    Args:
        config: The config whose key reference to follow.
        refresh: Whether to get a new token in place of a cached one.

    Raises:
        KeyNotFoundError: The reference leads to no key.
    """
    return config.key_source.resolve(config.endpoint_url, refresh=refresh)


def uses_token(config: LLMConfig) -> bool:
    """Whether the config's key is a token, which expires and can be refreshed."""
    return config.key_source.is_token


def request_headers(config: LLMConfig, url: str, extra: Mapping[str, str], secret: Secret | None) -> dict[str, str]:
    """Build the headers of a request to `url`.

    Args:
        config: The config, which may pin a deployment.
        url: Where the request goes.
        extra: Headers of the wire format.
        secret: The key, or None to send none.

    Raises:
        ConfigError: A header or the key has characters outside printable ASCII.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **extra}
    if config.deployment_name and not endpoints.needs_model(url):
        headers["azureml-model-deployment"] = config.deployment_name
    for name, value in headers.items():
        if not _is_header_value(value):
            raise ConfigError(f"{name} contains characters that HTTP headers do not allow", remedy="Fix the formatter.")
    if secret:  # last, and never in a variable: a traceback with locals would show it
        if not _is_header_value(secret.reveal()):
            raise ConfigError("The key contains characters that HTTP headers do not allow", remedy="Copy it again.")
        headers.update(endpoints.auth_headers(url, secret.reveal(), is_token=uses_token(config)))
    return headers


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()

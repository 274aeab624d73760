"""A call as a curl command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..core import endpoints
from ..core.client import prepare
from ..core.errors import ConfigError
from ..core.key_sources import EntraToken, EnvKey, KeyringKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message

_MAX_ARGUMENT = 100_000  # bytes: Linux allows 128 KiB for one argument


def write_curl(config: LLMConfig, messages: Sequence[Message]) -> str:
    """Write the call as a curl command; it reads the key from where the config's reference says, or prompts for it.

    Raises:
        ConfigError: The request's body is not text.
    """
    request = prepare(config, messages, with_key=False).request
    lines = ["curl -sS " + shlex.quote(request.url)]
    if config.key is not None:
        before, key = _key_in_shell(config)
        lines[:0] = before
        is_token = config.key_source.is_token
        auth = endpoints.auth_headers(request.url, key, is_token=is_token)
        lines += [f'-H "{name}: {value}"' for name, value in auth.items()]
    # the response comes whole: the Accept header of a stream is not needed
    headers = {name: value for name, value in request.headers.items() if "event-stream" not in value}
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = "\0"
    if "\0" in body:
        raise ConfigError(
            "The request's body is not text, so it cannot be an argument of curl",
            remedy="Write it as Python.",
            error_code="body-not-text",
        )
    if len(request.body) <= _MAX_ARGUMENT:
        return " \\\n  ".join([*lines, f"--data-raw {shlex.quote(body)}"]) + "\n"
    mark = "BODY"
    while mark in body.splitlines():
        mark += "_"
    return " \\\n  ".join([*lines, f"--data-binary @- <<'{mark}'"]) + f"\n{body}\n{mark}\n"


def _key_in_shell(config: LLMConfig) -> tuple[list[str], str]:
    """(lines before the command, what stands for the key inside double quotes)."""
    key = config.key_source
    if isinstance(key, EnvKey):
        return [], f"${key.name}"
    if isinstance(key, KeyringKey):
        service, _, user = key.name.partition("/")
        return [], f"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"
    if isinstance(key, EntraToken):
        resource = endpoints.entra_resource(config.endpoint_url)
        return [], f"$(az account get-access-token --resource {resource} --query accessToken -o tsv)"
    return ["printf 'Key: ' >&2 && read -rs KEY && echo >&2 &&"], "$KEY"

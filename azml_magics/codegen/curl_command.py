"""A call as a curl command."""

from __future__ import annotations

import json
import shlex
import uuid
from typing import TYPE_CHECKING

from ..core import endpoints
from ..core.client import prepare
from ..core.embedded_keys import fill_body, fill_query
from ..core.errors import ConfigError
from ..core.http import auth
from ..core.key_sources import CredentialKey, EntraToken, EnvKey, KeyringKey, ProvidedToken
from ..core.paths import is_folder
from ..core.proxy_url import DIRECT
from ..core.secret import Secret
from ..core.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.config import LLMConfig
    from ..core.key_sources import KeySource
    from ..core.messages import Message

_MAX_ARGUMENT = 100_000  # bytes: Linux allows 128 KiB for one argument


def write_curl(config: LLMConfig, messages: Sequence[Message]) -> str:
    """Write the call as a curl command; it reads the key from where the config's reference says, or prompts for it.

    Raises:
        ConfigError: The request's body is not text.
    """
    request = prepare(config, messages, with_key=False).request
    keys = _Keys(config.endpoint_url)
    embedded = _EmbeddedKeys(config, keys)
    lines = ["curl -sS " + embedded.quote(fill_query(request.url, embedded.marks)), *_network_options(config)]
    if config.key is not None:
        for name, value in auth.key_headers(config, request.url, keys.in_shell(config.key_source, "Key")).items():
            lines.append(f'-H "{name}: {value}"')
    for name, source in config.header_sources.items():
        lines.append(f'-H "{name}: {keys.in_shell(source, name)}"')
    lines[:0] = keys.prompts
    # the response comes whole: the Accept header of a stream is not needed
    headers = {name: value for name, value in request.headers.items() if "event-stream" not in value}
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    try:
        body = _to_printable(fill_body(request.body, embedded.marks).decode())
    except UnicodeDecodeError:
        body = "\0"
    if "\0" in body:
        raise ConfigError(
            "The request's body is not text, so it cannot be an argument of curl",
            remedy="Write it as Python.",
            error_code="body-not-text",
        )
    if len(request.body) <= _MAX_ARGUMENT or embedded.marks:  # a here-document in quotes takes no variables
        return " \\\n  ".join([*lines, f"--data-raw {embedded.quote(body)}"]) + "\n"
    mark = "BODY"
    while mark in body.splitlines():
        mark += "_"
    return " \\\n  ".join([*lines, f"--data-binary @- <<'{mark}'"]) + f"\n{body}\n{mark}\n"


def _to_printable(body: str) -> str:
    """The body, if it is JSON with escapes in place of control characters: the server reads the same."""
    shown = escape_controls(body)
    try:
        return shown if shown == body or json.loads(shown) == json.loads(body) else body
    except ValueError:
        return body


def _network_options(config: LLMConfig) -> list[str]:
    options = []
    if config.verify is False:
        options.append("--insecure")
    elif isinstance(config.verify, str):
        options.append(f"{'--capath' if is_folder(config.verify) else '--cacert'} {shlex.quote(config.verify)}")
    if config.proxy == DIRECT:
        options.append("--noproxy '*'")
    elif config.proxy:
        variable = config.proxy.removeprefix("env:")
        options.append(f'--proxy "${variable}"' if variable != config.proxy else f"--proxy {shlex.quote(config.proxy)}")
    if config.total_timeout is not None:
        options.append(f"--max-time {config.total_timeout:g}")
    return options


class _EmbeddedKeys:
    """The keys in the URL's query and in the body of a call.

    Attributes:
        marks: The reference of each -> a text that occurs nowhere else, to be put in its place.
    """

    def __init__(self, config: LLMConfig, keys: _Keys) -> None:
        sources = config.embedded_sources.items()
        self.marks = {reference: Secret(uuid.uuid4().hex) for reference, _ in sources}
        self._in_shell = {self.marks[name].reveal(): keys.in_shell(source, "Key") for name, source in sources}

    def quote(self, text: str) -> str:
        """Return a text as a word of the shell, with what stands for each key."""
        word = shlex.quote(text)
        for mark, key in self._in_shell.items():
            word = word.replace(mark, f"'\"{key}\"'")
        return word


class _Keys:
    """What stands for each key inside double quotes, and the lines before the command that prompt for some.

    Attributes:
        prompts: The lines before the command.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self.prompts: list[str] = []

    def in_shell(self, source: KeySource, label: str) -> str:
        """Return what stands for the key of `source`; `label` prompts for one that a shell cannot look up."""
        if isinstance(source, EnvKey):
            return f"${source.name}"
        if isinstance(source, KeyringKey):
            service, _, user = source.name.partition("/")
            return f"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"
        if isinstance(source, CredentialKey | ProvidedToken):  # objects of this process
            source = EntraToken()
        if isinstance(source, EntraToken):
            resource = f"--resource {endpoints.entra_resource(self._endpoint_url)}"
            audience = f"--scope {shlex.quote(source.asked_scope)}" if source.asked_scope else resource
            tenant = f" --tenant {shlex.quote(source.tenant)}" if source.tenant else ""
            return f"$(az account get-access-token {audience}{tenant} --query accessToken -o tsv)"
        variable = f"KEY{len(self.prompts) + 1}" if self.prompts else "KEY"
        self.prompts.append(f"printf '{label}: ' >&2 && read -rs {variable} && echo >&2 &&")
        return f"${variable}"

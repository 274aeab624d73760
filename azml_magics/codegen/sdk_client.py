"""The client of an SDK, in a program: its address, its key and its headers as the config has them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..core import endpoints
from ..core.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from ..core.http import auth
from ..core.key_sources import CredentialKey, EntraToken, EnvKey, KeyringKey, ProvidedToken
from ..core.paths import is_folder
from ..core.proxy_url import DIRECT
from .python_source import call_expression, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.config import LLMConfig
    from ..core.http.exchange import Request
    from ..core.key_sources import KeySource

_OF_THE_SDK = {"Content-Type", "Accept"}
_KEY = "KEY"  # stands for the key
_KEY_HEADERS = {"openai": "Authorization", "anthropic": "x-api-key"}

_CREDENTIALS = {
    "cli": "AzureCliCredential",
    "managed": "ManagedIdentityCredential",
    "device": "DeviceCodeCredential",
    "browser": "InteractiveBrowserCredential",
}
_TAKE_A_TENANT = ("cli", "device", "browser")


class SDKClient:
    """The lines that make an SDK's client.

    Args:
        config: Where its requests go.
        request: One request of the config.
        sdk: "openai" or "anthropic".
        suffix: What the SDK appends to its base URL.

    Attributes:
        imports: The imports.
        lines: The lines below them.
    """

    def __init__(self, config: LLMConfig, request: Request, sdk: str, suffix: str) -> None:
        self._config, self._url = config, request.url
        self._sdk = sdk
        self._is_foundry = sdk == "anthropic" and endpoints.kind_of(request.url) == "anthropic"
        self._modules: set[str] = set()
        self._names: set[str] = set()
        self.lines: list[str] = []
        parts = urlsplit(request.url)
        base = parts.path.rstrip("/").removesuffix(suffix)
        arguments = {
            "base_url": repr(urlunsplit((parts.scheme, parts.netloc, base, "", ""))),
            **self._key_arguments(self._headers(request)),
            "default_query": literal(dict(parse_qsl(parts.query))) if parts.query else "",
            "timeout": f"{config.timeout:g}" if config.timeout != DEFAULT_TIMEOUT else "",
            "max_retries": repr(config.max_retries) if config.max_retries != DEFAULT_MAX_RETRIES else "",
            "http_client": self._http_client(),
        }
        kind = {"openai": "OpenAI", "anthropic": "AnthropicFoundry" if self._is_foundry else "Anthropic"}[sdk]
        self._names.add(kind)
        self.lines.append(f"client = {call_expression(kind, arguments)}")

    @property
    def imports(self) -> list[str]:
        """The imports, those of the SDK last."""
        names = ", ".join(sorted(self._names))
        return [*sorted(self._modules), f"from {self._sdk} import {names}"]

    def _headers(self, request: Request) -> dict[str, str]:
        """The headers beyond those that the SDK sends, as Python, without those that carry the config's key."""
        headers = {name: repr(value) for name, value in request.headers.items() if name not in _OF_THE_SDK}
        sources = self._config.header_sources
        return headers | {name: self._expression(source, name) for name, source in sources.items()}

    def _key_arguments(self, headers: dict[str, str]) -> dict[str, str]:
        """The arguments that carry the key, and the further headers."""
        config = self._config
        if config.key is None:
            return {"api_key": repr("none"), "default_headers": _dictionary(headers)}
        if isinstance(config.key_source, CredentialKey | ProvidedToken):  # objects of this process
            return {**self._token_argument(EntraToken()), "default_headers": _dictionary(headers)}
        if isinstance(config.key_source, EntraToken):
            return {**self._token_argument(config.key_source), "default_headers": _dictionary(headers)}
        carriers = auth.key_headers(config, self._url, _KEY)
        own = _KEY_HEADERS[self._sdk]
        sent_by_sdk = {own, "api-key"} if self._is_foundry else {own}
        key = self._expression(config.key_source, "Key")
        further = {name: value for name, value in carriers.items() if name not in sent_by_sdk}
        if further:
            self.lines.insert(0, f"key = {key}")
            key = "key"
        for name, value in further.items():
            headers[name] = key if value == _KEY else f"f{value.replace(_KEY, '{key}')!r}"
        return {"api_key": key if own in carriers else repr("none"), "default_headers": _dictionary(headers)}

    def _token_argument(self, source: EntraToken) -> dict[str, str]:
        kind = _CREDENTIALS.get(source.method, "DefaultAzureCredential")
        self._modules.add(f"from azure.identity import {kind}, get_bearer_token_provider")
        scope = source.asked_scope or endpoints.entra_scope(self._config.endpoint_url)
        tenant = source.tenant if source.method in _TAKE_A_TENANT else ""
        credential = f"{kind}({f'tenant_id={tenant!r}' if tenant else ''})"
        provider = f"get_bearer_token_provider({credential}, {scope!r})"
        if self._is_foundry:
            return {"azure_ad_token_provider": provider}
        return {"api_key": provider} if self._sdk == "openai" else {"auth_token": f"{provider}()"}

    def _expression(self, source: KeySource, label: str) -> str:
        """What looks a key up; one that a program cannot look up is prompted for."""
        if isinstance(source, EnvKey):
            self._modules.add("import os")
            return f"os.environ[{source.name!r}]"
        if isinstance(source, KeyringKey):
            self._modules.add("import keyring")
            service, _, user = source.name.partition("/")
            return f"keyring.get_password({service!r}, {user!r})"
        self._modules.add("import getpass")
        return f"getpass.getpass({f'{label}: '!r})"

    def _http_client(self) -> str:
        """The HTTP client for the config's certificates and proxy; "" if it has none."""
        verify, proxy = self._config.verify, self._config.proxy
        arguments = {}
        if verify is False:
            arguments["verify"] = "False"
        elif isinstance(verify, str):
            self._modules.add("import ssl")
            kind = "capath" if is_folder(verify) else "cafile"
            arguments["verify"] = f"ssl.create_default_context({kind}={verify!r})"
        if proxy == DIRECT:
            arguments["trust_env"] = "False"
        elif proxy and proxy.startswith("env:"):
            self._modules.add("import os")
            arguments["proxy"] = f"os.environ[{proxy.removeprefix('env:')!r}]"
        elif proxy:
            arguments["proxy"] = repr(proxy)
        if not arguments:
            return ""
        self._names.add("DefaultHttpxClient")
        return f"DefaultHttpxClient({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def _dictionary(entries: Mapping[str, str]) -> str:
    """A dictionary of expressions; "" for none."""
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in entries.items()) + "}" if entries else ""

"""What an endpoint's URL tells: its origin, kind and route, and the URL of a request. Nothing is sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["managed", "serverless", "foundry", "azure-openai", "kubernetes", "other"]
ApiType = Literal["dedicated", "serverless"]

FOUNDRY_API_VERSION = "2024-05-01-preview"
AZURE_OPENAI_API_VERSION = "2024-10-21"

# Azure's host names, public and sovereign clouds (Azure ML and Foundry documentation).
_HOSTS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"\.inference\.ml\.azure\.(com|us|cn)$"), "managed"),
    (re.compile(r"(^|\.)(models|inference)\.(inference\.)?ai\.azure\.com$"), "serverless"),
    (re.compile(r"\.services\.ai\.azure\.(com|us|cn)$"), "foundry"),
    (re.compile(r"\.(openai|cognitiveservices)\.azure\.(com|us|cn)$"), "azure-openai"),
)
_KUBERNETES = re.compile(r"^(?:/[^/]+)*/api/v1/endpoint/[^/]+")
_ROUTE = re.compile(r"/(score|generate|generate_stream|chat/completions|completions)/?$")
# Paths that a route is appended to; any other path is sent as the user wrote it.
_BASE = re.compile(r"^(/models|/openai|(/openai)?/v1|/openai/deployments/[^/]+|/(?:[^/]+/)*api/v1/endpoint/[^/]+)?/?$")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


# Each call needs these several times, and a run over rows needs them for every row.
_remembered = lru_cache(maxsize=256)

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """What tells one server from another: scheme, host and port, normalised.

    Rate limiters, connections, typed keys and the check that a key stays with its host all compare origins, so
    `https://h`, `https://H/score` and `https://h:443` are the same endpoint for each of them.

    Attributes:
        scheme: "https" or "http"; "" if the URL has none.
        host: the host name or address in lower case, an international name in its ASCII form; "" if absent.
        port: the port, the scheme's default filled in; 0 if neither is known.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of `url`; a URL that cannot be read has an empty host."""
        return _origin_of(url)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name."""
        return is_loopback(self.host)

    @property
    def netloc(self) -> str:
        """The host, with the port unless it is the scheme's default: what messages show."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme, 0) else f"{host}:{self.port}"

    def __bool__(self) -> bool:
        return bool(self.host)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}" if self.host else ""


@_remembered
def _origin_of(url: str) -> Origin:
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return Origin("", "", 0)
    return Origin(parts.scheme, host.lower(), port or _DEFAULT_PORTS.get(parts.scheme, 0))


@_remembered
def split(url: str) -> SplitResult:
    """Return the parts of `url`.

    Keys are sent over https only. This machine may use plain http: the demo endpoint and local servers.

    Raises:
        ConfigError: The text is not a URL, contains a password, or is plain http to another machine.
    """
    example = "Write it whole, such as https://NAME.REGION.inference.ml.azure.com/score."
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        shown = re.sub(r"//[^/]*@", "//…@", url)  # a password may stand there
        raise ConfigError(f"The endpoint URL {shown!r} cannot be read: {error}", remedy=example) from None
    if "@" in parts.netloc:
        raise ConfigError(
            "The endpoint URL holds a user name or password",
            remedy="Put the key into the config's key instead.",
            error_code="url-with-password",
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"The endpoint URL {url!r} is not complete", remedy=example)
    if not _is_host(host):
        raise ConfigError(f"The endpoint URL {url!r} has no valid host name", remedy=example)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{parts.scheme}://{host} would carry the key in clear text to another machine",
            remedy="Use https:// (plain http is for this machine only).",
        )
    return parts


def _is_host(host: str) -> bool:
    """Return whether `host` is a valid host name or an address."""
    try:
        if ":" in host:
            return bool(ipaddress.ip_address(host))
        name = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return False
    return _HOST_NAME.fullmatch(name.lower()) is not None


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine by its name; no name server is used."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@_remembered
def kind_of(url: str) -> Kind:
    """Return the kind of endpoint, read from the host and the path; "other" if neither is known."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    if _KUBERNETES.match(parts.path):
        return "kubernetes"
    for pattern, kind in _HOSTS:
        if pattern.search(host):
            on_openai_path = kind == "foundry" and re.match(r"/openai(/|$)", parts.path)
            return "azure-openai" if on_openai_path else kind
    if is_loopback(host) and parts.path.startswith(("/openai/", "/models/")):
        return "azure-openai" if parts.path.startswith("/openai/") else "foundry"
    return "other"


@_remembered
def route_of(url: str) -> str:
    """Return the route at the end of the URL's path ("score", "generate", "chat/completions", …), or ""."""
    match = _ROUTE.search(urlsplit(url.strip()).path)
    return match[1] if match else ""


def api_type_of(url: str) -> ApiType:
    """Return "serverless" if the URL's route or host uses the OpenAI-like protocol, else "dedicated"."""
    route = route_of(url)
    if route:
        return "serverless" if route.endswith("completions") else "dedicated"
    path = urlsplit(url.strip()).path
    speaks_openai = kind_of(url) in {"serverless", "foundry", "azure-openai"} or path.rstrip("/").endswith("/v1")
    return "serverless" if speaks_openai else "dedicated"


@_remembered
def request_url(url: str, route: str, api_version: str | None = None) -> str:
    """Return the URL that a request goes to.

    Args:
        url: The endpoint's URL. A path that ends in a route, or that is not a known base path, is kept.
        route: Appended to a base path, such as "score" or "chat/completions".
        api_version: Replaces an api-version in the query. By default the URL's own stays; services that require one
            (Foundry's /models, Azure OpenAI's /openai/deployments) get their documented default.

    Raises:
        ConfigError: See `split`.
    """
    parts = split(url)
    path = parts.path.rstrip()  # a space before the fragment
    if _ROUTE.search(path):
        path = path.rstrip("/")
    elif _BASE.match(path):
        path = f"{_base(url, path.rstrip('/'))}/{route}"
    query = _add_api_version(parts.query, api_version, _default_api_version(path))
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _base(url: str, path: str) -> str:
    """Return the path that routes are appended to; Foundry and Azure OpenAI hosts have a base path of their own."""
    if path == "/openai" or (not path and kind_of(url) == "azure-openai"):
        return "/openai/v1"
    return "/models" if not path and kind_of(url) == "foundry" else path


def _add_api_version(query: str, given: str | None, required: str | None) -> str:
    """Return the query with the given api-version, or else its own, or else the one that the service requires."""
    pairs = parse_qsl(query, keep_blank_values=True)
    own = dict(pairs).get("api-version")
    version = given or own or required
    if not version or version == own:
        return query
    if own is None:
        return "&".join(filter(None, [query, urlencode({"api-version": version})]))
    return urlencode([(name, version if name == "api-version" else value) for name, value in pairs])


def _default_api_version(path: str) -> str | None:
    if re.search(r"(^|/)models/(chat/completions|completions|embeddings)/?$", path):
        return FOUNDRY_API_VERSION
    if "/openai/deployments/" in path:
        return AZURE_OPENAI_API_VERSION
    return None


@_remembered
def needs_model(url: str) -> bool:
    """Return whether the body must name the model: the URLs of Foundry's /models and of /openai/v1 do not."""
    path = urlsplit(url).path
    # a Kubernetes endpoint may be called openai
    return bool(re.search(r"(^|/)models/[^?]*completions$|(?<!/endpoint)/openai/v1/", path))


def entra_resource(url: str) -> str:
    """Return the resource of an Entra ID token for `url`.

    Source: the authentication pages of the Azure ML and Foundry documentation.
    """
    service = "cognitiveservices" if kind_of(url) in {"foundry", "azure-openai"} else "ml"
    host = urlsplit(url).hostname or ""
    cloud = host.rpartition(".")[2] if host.endswith((".azure.us", ".azure.cn")) else "com"
    return f"https://{service}.azure.{cloud}"


def auth_headers(url: str, key: str, *, is_token: bool) -> Mapping[str, str]:
    """Return the headers that carry `key`: a Bearer token, and `api-key` too for keys of Foundry and Azure OpenAI.

    Some of these services read only one of the two; azure-ai-inference sends both as well.

    Args:
        url: The endpoint's URL.
        key: The key or token itself.
        is_token: Whether it is an Entra ID token, which is never sent as `api-key`.
    """
    headers = {"Authorization": f"Bearer {key}"}
    if not is_token and kind_of(url) in {"foundry", "azure-openai"}:
        headers["api-key"] = key
    return headers

"""What an endpoint's URL tells: its kind and route, and the URL and headers of a request. Nothing is sent."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .origin import is_loopback, split

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

# Each call needs these several times, and a run over rows needs them for every row.
_remembered = lru_cache(maxsize=256)


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

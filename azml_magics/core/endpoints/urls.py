"""The URL and the headers of a request, by the endpoints table. Nothing is sent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .location import locate, route_of, service_of
from .origin import Origin, split
from .table import ROUTES, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

ApiType = Literal["dedicated", "serverless"]

# Each call needs these several times, and a run over rows needs them for every row.
_remembered = lru_cache(maxsize=256)


def kind_of(url: str) -> Kind:
    """Return the kind of endpoint, read from the host and the path; "other" if neither is known."""
    return service_of(url).kind


def formatters_for(url: str) -> tuple[str, ...]:
    """Return the names of the formatters that `url` implies, the preferred one first; () if it implies none."""
    route = route_of(url)
    if route:
        return (ROUTES[route],) if ROUTES[route] else ()
    located = locate(url)
    if located.service.wires:
        return located.service.wires
    return ("openai-chat",) if located.rest.rstrip("/").endswith("/v1") else ()


def api_type_of(url: str) -> ApiType:
    """Return "serverless" if the URL's route or host uses the OpenAI-like protocol, else "dedicated"."""
    formatters = formatters_for(url)
    return "serverless" if formatters and formatters[0] != "tgi" else "dedicated"


@_remembered
def request_url(url: str, route: str, api_version: str | None = None) -> str:
    """Return the URL that a request goes to.

    Args:
        url: The endpoint's URL. A path that ends in a route, or that is not a known base path, is kept as it is.
        route: Appended to a base path, such as "score" or "chat/completions".
        api_version: Replaces an api-version in the query. By default the URL's own stays; services that require one
            (Foundry's /models, Azure OpenAI's /openai/deployments) get their documented default.

    Raises:
        ConfigError: See `split`.
    """
    parts = split(url)
    path = parts.path.rstrip()  # a space before the fragment
    located = locate(url)
    if located.is_base and not route_of(url):
        path = f"{located.base_for(route)}/{route}"
    query = _add_api_version(parts.query, api_version, located.service.api_version if route_of(path) else None)
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def ends_in(url: str, end: str) -> bool:
    """Return whether the path of `url` ends in `end`, with or without a slash after it, in upper or lower case."""
    return urlsplit(url.strip()).path.rstrip("/ ").lower().endswith(end)


def replace_route(url: str, route: str) -> str:
    """Return `url` with another route at the end of its path; it has to have one."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/ ")
    return urlunsplit(parts._replace(path=path[: -len(route_of(url))] + route))


def base_of(url: str) -> str:
    """Return the URL that the endpoint's other routes are appended to: without its route, query and last slash."""
    origin, path = Origin.of(url), urlsplit(url.strip()).path.rstrip("/ ")
    route = route_of(url)
    path = path[: -len(route)] if route else path
    return f"{origin}{path.rstrip('/')}"


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


def needs_model(url: str) -> bool:
    """Return whether the body must name the model: the URL does not, and the endpoint serves several."""
    return service_of(url).model == "body"


def is_inference_api(url: str) -> bool:
    """Return whether the body is checked by the Azure AI Model Inference API, which refuses what it does not know."""
    located = locate(url)
    on_v1 = "/v1/" in f"{located.rest}/"
    return not on_v1 and (located.service.is_inference_api or not located.service.wires)


def entra_resource(url: str) -> str:
    """Return the resource of an Entra ID token for `url`, in the URL's cloud.

    The sovereign clouds have no ai.azure.com of their own: outside projects its services also accept the older
    resource, which is documented for each cloud.

    Source: the authentication pages of the Azure ML and Foundry documentation.
    """
    service = service_of(url)
    host = (urlsplit(url.strip()).hostname or "").lower()
    cloud = host.rpartition(".")[2] if host.endswith((".azure.us", ".azure.cn")) else "com"
    is_older = service.resource == "ai" and cloud != "com" and not service.entra_only
    return f"https://{'cognitiveservices' if is_older else service.resource}.azure.{cloud}"


def entra_scope(url: str) -> str:
    """Return the OAuth scope of an Entra ID token for `url`."""
    return f"{entra_resource(url)}/.default"


def auth_headers(url: str, key: str, *, is_token: bool) -> Mapping[str, str]:
    """Return the headers that carry `key` to the service of `url`.

    Some services read only one of several headers, so that a key goes into each; azure-ai-inference and
    AnthropicFoundry do the same.

    Args:
        url: The endpoint's URL.
        key: The key or token itself.
        is_token: Whether it is an Entra ID token, which is only ever sent as a Bearer token.
    """
    names = ("Authorization",) if is_token else service_of(url).key_headers
    return {name: f"Bearer {key}" if name == "Authorization" else key for name in names}

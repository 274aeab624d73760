"""Finds a URL's row in the endpoints table, and takes its path apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from .origin import is_loopback
from .table import TABLE, Service

_ROUTE = re.compile(
    r"/(?:(chat/completions|completions|responses|embeddings|generate_stream|generate|score)|v1/(messages))/?$",
    re.IGNORECASE,
)


class Located(NamedTuple):
    """A URL's row of the table, and its path taken apart.

    Attributes:
        service: The row.
        head: The path up to and with the service's root.
        rest: The path after the root, as written.
    """

    service: Service
    head: str
    rest: str

    @property
    def is_base(self) -> bool:
        """Whether the path is one that routes are appended to."""
        rest, bases = self.rest.rstrip("/"), self.service.bases
        return rest in bases or f"{bases[0]}/".startswith(f"{rest}/") or ("/v1" in bases and rest.endswith("/v1"))

    def base_for(self, route: str) -> str:
        """Return the path that `route` is appended to."""
        rest = self.rest.rstrip("/")
        if rest.endswith("/v1"):
            return self.head + rest
        return self.head + self.service.route_bases.get(route, self.service.bases[0])


@lru_cache(maxsize=256)
def locate(url: str) -> Located:
    """Return the row of the table for `url`, and its path taken apart."""
    parts = urlsplit(url.strip())
    host, path = (parts.hostname or "").lower(), parts.path.rstrip()
    for service, hosts, known, elsewhere in _PATTERNS:
        pattern = known if hosts.search(host) else elsewhere
        found = pattern.fullmatch(path) if pattern is not None else None
        if found:
            return Located(service, found["head"], found["rest"])
    raise AssertionError("the last row fits every URL")


def service_of(url: str) -> Service:
    """Return the row of the table for `url`."""
    return locate(url).service


@lru_cache(maxsize=256)
def route_of(url: str) -> str:
    """Return the route at the end of the URL's path ("score", "generate", "chat/completions", …), or ""."""
    match = _ROUTE.search(urlsplit(url.strip()).path.rstrip())
    return (match[1] or match[2]).lower() if match else ""


def is_azure_host(host: str) -> bool:
    """Return whether `host` belongs to an Azure service that checks keys before anything of the deployment sees them.

    Gateways and web apps (azure-api.net, azurewebsites.net) do not count: their owner's code receives the key.
    """
    return any(hosts.search(host) for _, hosts, _, _ in _PATTERNS)


def notices_of(url: str) -> tuple[str, ...]:
    """Return what to tell the user of `url` before its first request: sentences, each of one line."""
    if not url.strip():
        return ()
    located = locate(url)
    service = located.service
    if service.gone:
        return (service.gone,)
    host = (urlsplit(url.strip()).hostname or "").lower()
    is_known_host = service.title and (re.search(f"{service.hosts}$", host) or service.kind == "kubernetes")
    if not is_known_host or located.is_base or route_of(url) or is_loopback(host):
        return ()
    path = f"{located.head}{located.rest}"
    return (f"{path} is not a known path of {service.title}: it is used as written.",)


def _path_pattern(root: str) -> re.Pattern[str]:
    prefix = "(?:/[^/]*)*?" if root else ""
    return re.compile(rf"(?P<head>{prefix}{root})(?P<rest>(?:/.*)?)", re.IGNORECASE | re.DOTALL)


_PATTERNS = tuple(
    (
        service,
        re.compile(f"{service.hosts}$"),
        _path_pattern(service.root),
        None if service.root_elsewhere is None else _path_pattern(service.root_elsewhere),
    )
    for service in TABLE
)

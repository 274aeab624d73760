"""Connections to endpoints: httpx transports that hold one connection each, and the stack of those that are idle.

A pool of httpx's looks at every connection for every queued request, and so is quadratic in their number; its client
adds cookies, redirects and a search for the transport to every request. A stack of transports does neither, and is
still seen by the tools that watch or replace httpx's transports.
"""

from __future__ import annotations

import platform
import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from ..browser import IS_BROWSER
from ..endpoints import Origin
from ..proxy_url import proxy_name
from ..version import __version__
from .proxy import proxy_for
from .reception import Reception
from .send_failures import send_failure
from .tls import ssl_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from .exchange import NetworkSettings, Request, SendFailure

    _Key: TypeAlias = tuple[Origin, NetworkSettings]

_LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60.0)
_MAX_IDLE = 256  # connections kept per origin
_HEADERS = {
    "User-Agent": f"azml-magics/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}",
    "Accept-Encoding": "identity",  # a compressed stream would stutter
}


class Connection:
    """One transport of httpx's, which holds one connection.

    Args:
        transport: An httpx.HTTPTransport or httpx.AsyncHTTPTransport.
        proxy: The URL of the proxy it goes through; "" for none.
        has_tunnel: Whether the proxy opens a tunnel for it, and does not see the requests.

    Attributes:
        forwarding_proxy: HOST:PORT of a proxy that passes on the requests, or answers them itself; "" for none.
    """

    def __init__(self, transport: Any, proxy: str = "", *, has_tunnel: bool = False) -> None:
        self._transport = transport
        self._proxy = proxy
        self.forwarding_proxy = "" if has_tunnel else proxy_name(proxy)
        self._reception = Reception(has_tunnel=has_tunnel)

    @property
    def limit_reads(self) -> Callable[[float], None] | None:
        """A function that limits reads of the response to so many seconds from its call; None if there is no way."""
        return self._reception.limit_reads

    def send(self, request: Request) -> httpx.Response:
        """Send a request and return the response, whose body is not read yet."""
        self._reception.begin(request)
        response: httpx.Response = self._transport.handle_request(to_httpx(request, self._reception.trace))
        return response

    async def asend(self, request: Request) -> httpx.Response:
        """What `send` does, on the running event loop."""
        self._reception.begin(request)
        sent = to_httpx(request, self._reception.atrace)
        response: httpx.Response = await self._transport.handle_async_request(sent)
        return response

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the connection of an event loop."""
        await self._transport.aclose()

    def abandon(self) -> None:
        """End the request on this connection, which another thread waits for: that thread gets an error."""
        self._reception.shut_down()

    def has_ended(self, headers: Mapping[str, str]) -> bool:
        """Whether the connection has received one whole response, with these headers, and can serve another request."""
        return headers.get("connection", "").lower() != "close" and self._reception.ends_with_response(headers)

    def failure(self, error: Exception, *, has_begun: bool) -> SendFailure:
        """Describe what was raised for a request on this connection; `has_begun`: its headers have arrived."""
        return send_failure(error, self._reception, has_begun=has_begun, proxy=self._proxy)


class ConnectionStack:
    """The idle connections to each origin. The one used last is the warmest and goes out first."""

    def __init__(self) -> None:
        self._idle: dict[_Key, list[Connection]] = {}
        self._lock = threading.Lock()

    def pop(self, request: Request) -> Connection | None:
        """Take out the connection for `request` that was used last; None if there is none."""
        with self._lock:
            idle = self._idle.get(_key(request))
            return idle.pop() if idle else None

    def push(self, request: Request, connection: Connection) -> bool:
        """Keep a connection that has served `request` for the next one; False if there are enough."""
        with self._lock:
            idle = self._idle.setdefault(_key(request), [])
            if len(idle) < _MAX_IDLE:
                idle.append(connection)
                return True
        return False

    def pop_all(self) -> list[Connection]:
        """Take out all connections."""
        with self._lock:
            connections = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        return connections


def _key(request: Request) -> _Key:
    return Origin.of(request.url), request.network


# ---- opening ------------------------------------------------------------------------------------------------------


def open_connection(request: Request, transport: type[Any]) -> Connection:
    """Make a connection for `request`; it connects when the request is sent.

    Args:
        request: The request, with its network settings.
        transport: httpx.HTTPTransport or httpx.AsyncHTTPTransport.
    """
    if IS_BROWSER:
        from . import fetch

        return Connection(fetch.transport_for(transport))
    is_https = Origin.of(request.url).scheme == "https"
    certificates = ssl_context(request.network.verify) if is_https else _no_certificates()
    proxy = proxy_for(request.url, request.network.proxy)
    options = {"verify": certificates, "limits": _LIMITS, "trust_env": False, "proxy": _proxy(proxy, request)}
    return Connection(transport(**options), proxy or "", has_tunnel=is_https and proxy is not None)


def _proxy(url: str | None, request: Request) -> httpx.Proxy | None:
    """What a transport takes for a proxy; one that is itself reached over TLS is checked as the server is."""
    if url is None:
        return None
    return httpx.Proxy(url, ssl_context=ssl_context(request.network.verify) if url.startswith("https:") else None)


@lru_cache(maxsize=1)
def _no_certificates() -> ssl.SSLContext:
    """What a transport for plain http gets: it would load certificates otherwise."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# ---- requests and responses ---------------------------------------------------------------------------------------

_url = lru_cache(maxsize=256)(httpx.URL)  # parsing one costs as much as the rest of building a request


def request_fields(request: Request, trace: Any) -> dict[str, Any]:
    """The arguments of httpx's request and of its clients' `build_request`.

    Args:
        request: The request.
        trace: Called with what happens on the way: httpx's `trace` extension.
    """
    limits = {"connect": request.connect_timeout, "pool": request.timeout}
    limits |= dict.fromkeys(("read", "write"), request.timeout)
    return {
        "method": request.method,
        "url": _url(request.sent_url),
        "headers": {**_HEADERS, **request.headers},
        "content": request.sent_body or None,
        "extensions": {"timeout": limits, "trace": trace},
    }


def to_httpx(request: Request, trace: Any) -> httpx.Request:
    """Convert a request to httpx's."""
    return httpx.Request(**request_fields(request, trace))


def header_dict(response: httpx.Response) -> dict[str, str]:
    """The response's headers by lower-case name; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers

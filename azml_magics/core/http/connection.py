"""One connection to an endpoint, straight or through the environment's proxy, and what goes over it.

A connection is httpcore's, which is what httpx's own transports hold. httpx's client and pool serve many hosts at once
(cookies, redirects, a search of the pool before and after every request) and cost a third of a short call. The network,
TLS, proxies and decoding stay httpcore's and httpx's.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from ..endpoints import Origin
from .exchange import CONNECT_TIMEOUT, Request, SendFailure
from .reception import Reception

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

_IDLE_SECONDS = 60.0
_MAX_IDLE = 256  # connections kept per origin
_HEADERS = {"User-Agent": "azml-magics", "Accept-Encoding": "identity"}  # a compressed stream would stutter


@dataclass
class Connection:
    """One connection of httpcore's.

    Attributes:
        http: The connection.
        is_reused: Whether it has served a request before.
        reception: What it has received since its last request.
    """

    http: Any
    is_reused: bool = False
    reception: Reception = field(default_factory=Reception)

    def failure(self, error: Exception, *, has_begun: bool) -> SendFailure:
        """Describe what the network raised for a request on this connection; `has_begun`: it has the headers."""
        reception = self.reception
        return replace(
            send_failure(error, was_sent=reception.was_sent, has_begun=has_begun),
            reused=self.is_reused,
            has_data=reception.has_data or _is_invalid_tls(error),
            seconds=reception.seconds,
        )


class ConnectionStack:
    """The idle connections of each origin. The one used last is the warmest and goes out first.

    A pool looks at every connection for every queued request, which is quadratic in their number; a stack does not.
    """

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Connection]] = {}
        self._lock = threading.Lock()

    def pop(self, url: str) -> Connection | None:
        """Take out the connection to the origin of `url` that was used last; None if there is none."""
        with self._lock:
            idle = self._idle.get(Origin.of(url))
            return idle.pop() if idle else None

    def push(self, url: str, connection: Connection, headers: Mapping[str, str]) -> bool:
        """Keep a connection for the next request.

        Args:
            url: Any URL of its origin.
            connection: A connection that has served a request.
            headers: Those of the response that was read last.

        Returns:
            False if the caller has to close the connection.
        """
        if not connection.http.is_idle():  # the server does not keep it open, or the response was not read whole
            return False
        if not connection.reception.ends_with_response(headers):
            return False
        connection.is_reused = True
        with self._lock:
            idle = self._idle.setdefault(Origin.of(url), [])
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


# ---- opening ------------------------------------------------------------------------------------------------------


def open_connection(url: str, certificates: ssl.SSLContext | None = None) -> Connection:
    """Make a connection to the origin of `url`; it connects with its first request.

    Args:
        url: Any URL of the origin.
        certificates: What https is checked against; by default `default_certificates`.
    """
    return Connection(_open(url, certificates, httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy))


def open_async_connection(url: str, certificates: ssl.SSLContext | None = None) -> Connection:
    """Make a connection as `open_connection` does, for the running event loop."""
    return Connection(
        _open(url, certificates, httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)
    )


def _open(url: str, certificates: ssl.SSLContext | None, direct: Any, http_proxy: Any, socks_proxy: Any) -> Any:
    """A connection of the class `direct`, or one through a proxy."""
    origin = _parse(url)[0].origin
    if origin.scheme != b"https":  # plain http is this machine alone: no proxy, and no certificates to load
        return direct(origin, keepalive_expiry=_IDLE_SECONDS)
    options = {"ssl_context": certificates or default_certificates(), "keepalive_expiry": _IDLE_SECONDS}
    proxy_url = _proxy_for(urlsplit(url).netloc)
    if proxy_url is None:
        return direct(origin, **options)
    proxy = httpx.Proxy(proxy_url)
    kind = socks_proxy if proxy.url.scheme.startswith("socks5") else http_proxy
    return kind(_to_httpcore_url(proxy.url), proxy_auth=proxy.raw_auth, **options).create_connection(origin)


@lru_cache(maxsize=1)  # loading them takes 10 ms
def default_certificates() -> ssl.SSLContext:
    """The certificates that https is checked against, as httpx loads them.

    SSL_CERT_FILE or SSL_CERT_DIR name them; the default is certifi's.
    """
    return httpx.create_ssl_context()


_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_SYSTEM_PROXIES = ("darwin", "win32")  # platforms whose own settings may name a proxy


def _proxy_for(host: str) -> str | None:
    """The proxy that the environment or the system's settings name for https to `host`, or None."""
    if not (any(os.environ.get(name) for name in _PROXY_VARIABLES) or sys.platform in _SYSTEM_PROXIES):
        return None
    import urllib.request

    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


# ---- requests and responses ---------------------------------------------------------------------------------------


def _to_httpcore_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


@lru_cache(maxsize=256)  # parsing one costs as much as the rest of building a request
def _parse(url: str) -> tuple[httpcore.URL, bytes]:
    """The URL, quoted where necessary, and the value of its Host header."""
    parsed = httpx.URL(url)
    return _to_httpcore_url(parsed), parsed.netloc


def to_httpcore(request: Request, trace: Callable[..., Any] | None = None) -> httpcore.Request:
    """Convert a request to httpcore's.

    Args:
        request: The request.
        trace: Called with what happens on the way, if given: httpcore's `trace` extension.
    """
    url, host = _parse(request.url)
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in {**_HEADERS, **request.headers}.items()]
    if request.body:
        headers.append((b"Content-Length", b"%d" % len(request.body)))
    timeouts = {"connect": min(CONNECT_TIMEOUT, request.timeout)}
    timeouts |= dict.fromkeys(("read", "write"), request.timeout)
    extensions: dict[str, Any] = {"timeout": timeouts}
    if trace is not None:
        extensions["trace"] = trace
    return httpcore.Request(
        request.method, url, headers=[(b"Host", host), *headers], content=request.body, extensions=extensions
    )


def header_dict(response: httpcore.Response) -> dict[str, str]:
    """The response's headers by lower-case name; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def iter_body(response: httpcore.Response, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Iterate over the body as it comes, decompressed if the server compressed it in spite of Accept-Encoding."""
    return _decoder(response).iter_bytes() if "content-encoding" in headers else response.iter_stream()


def aiter_body(response: httpcore.Response, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    """What `iter_body` does, on the running event loop."""
    return _decoder(response).aiter_bytes() if "content-encoding" in headers else response.aiter_stream()


def _decoder(response: httpcore.Response) -> httpx.Response:
    return httpx.Response(response.status, headers=response.headers, content=response.stream)


# ---- failures -----------------------------------------------------------------------------------------------------


def send_failure(error: Exception, *, was_sent: bool = False, has_begun: bool = False) -> SendFailure:
    """Classify what the network raised.

    Args:
        error: What was raised.
        was_sent: Whether the connection was open and the request on its way.
        has_begun: Whether the response's headers had arrived.
    """
    if isinstance(error, httpcore.ConnectTimeout):
        return SendFailure("connect-timeout", error)
    if isinstance(error, httpcore.TimeoutException):
        return SendFailure("timeout", error)
    if isinstance(error, ssl.SSLError) and was_sent:  # bare, from a read on an event loop
        return SendFailure("incomplete" if has_begun else "closed", error)
    if isinstance(error, httpcore.ConnectError | httpcore.ProxyError | ssl.SSLError):  # bare from httpcore before 1.0.6
        return SendFailure("untrusted" if _is_about_trust(error) else "connect-error", error)
    if isinstance(error, httpcore.LocalProtocolError):
        return SendFailure("invalid", error)
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | httpx.DecodingError):
        return SendFailure("incomplete" if has_begun else "closed", error)
    return SendFailure("invalid", error)


def _is_about_trust(error: BaseException) -> bool:
    """Whether an untrusted certificate is the cause, so that a retry will not help."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _is_invalid_tls(error: BaseException) -> bool:
    """Whether data came that TLS could not read; the end of a connection without TLS's own notice is not data."""
    ends = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    return any(isinstance(cause, ssl.SSLError) and not isinstance(cause, ends) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

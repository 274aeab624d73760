"""One connection to an endpoint, straight or through the environment's proxy, and what goes through it.

A connection is httpcore's, which is what httpx's own transports hold. httpx's client and pool are for many hosts at
once - cookies, redirects, look-ups, a search of the pool before and after every request - and cost a third of a short
call. The network, TLS, proxies and decoding stay httpcore's and httpx's: there is no code here for those.
"""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from .retry import CONNECT_TIMEOUT, Broken, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

_IDLE_SECONDS = 60.0
_HEADERS = {"User-Agent": "azml-magics", "Accept-Encoding": "identity"}  # a compressed stream would stutter


def broken(error: Exception, *, reused: bool = False, begun: bool = False) -> Broken:
    """What was raised in the policy's words. `begun`: the reply had begun when it came."""
    if isinstance(error, httpcore.ConnectTimeout):
        return Broken("connect-timeout", error, reused)
    if isinstance(error, httpcore.TimeoutException):
        return Broken("timeout", error, reused)
    if isinstance(error, httpcore.ConnectError | httpcore.ProxyError | ssl.SSLError):  # bare from httpcore before 1.0.6
        return Broken("untrusted" if _is_about_trust(error) else "refused", error, reused)
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | httpx.DecodingError):
        return Broken("broken" if begun else "closed", error, reused)
    return Broken("unsendable", error, reused)


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether a certificate that nobody vouches for is behind it: asking again will not help."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


@dataclass
class Lane:
    """One connection, and whether it has served a request before."""

    connection: Any
    served: bool = False


def open_lane(url: str) -> Lane:
    """A lane to the origin of `url`; it connects with its first request."""
    return Lane(_opened(url, httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy))


def open_async_lane(url: str) -> Lane:
    """A lane for the running event loop."""
    return Lane(_opened(url, httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy))


def _opened(url: str, straight: Any, http_proxy: Any, socks_proxy: Any) -> Any:
    """A connection of the class `straight`, or one of a proxy's."""
    origin = _url(url)[0].origin
    if origin.scheme != b"https":  # plain http is this machine alone: no proxy, and no certificates to load
        return straight(origin, keepalive_expiry=_IDLE_SECONDS)
    options = {"ssl_context": trusted(), "keepalive_expiry": _IDLE_SECONDS}
    named = _proxy_for(urlsplit(url).netloc)
    if named is None:
        return straight(origin, **options)
    proxy = httpx.Proxy(named)
    kind = socks_proxy if proxy.url.scheme.startswith("socks5") else http_proxy
    return kind(_core_url(proxy.url), proxy_auth=proxy.raw_auth, **options).create_connection(origin)


_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_WITH_PROXY_SETTINGS = ("darwin", "win32")  # there the system itself may name a proxy


def _proxy_for(host: str) -> str | None:
    """The proxy that the environment, or the system's settings, name for https to `host`; None for none."""
    if not (any(os.environ.get(name) for name in _PROXY_VARIABLES) or sys.platform in _WITH_PROXY_SETTINGS):
        return None
    import urllib.request

    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


# ---- trust ---------------------------------------------------------------------------------------------------

_contexts: dict[str, ssl.SSLContext] = {}


def trusted() -> ssl.SSLContext:
    """The certificates that https connections are checked against, as httpx loads them: those that SSL_CERT_FILE or
    SSL_CERT_DIR name, else certifi's.
    """
    if "trusted" not in _contexts:
        _contexts["trusted"] = httpx.create_ssl_context()
    return _contexts["trusted"]


def set_trusted(certificates: ssl.SSLContext | None) -> None:
    """Check against `certificates` from now on; None goes back to the default."""
    _contexts.pop("trusted", None)
    if certificates is not None:
        _contexts["trusted"] = certificates


# ---- messages ------------------------------------------------------------------------------------------------


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


@lru_cache(maxsize=256)  # reading one costs as much as the rest of a request's making
def _url(text: str) -> tuple[httpcore.URL, bytes]:
    """The URL, escaped where it has to be, and what the header Host says of it."""
    url = httpx.URL(text)
    return _core_url(url), url.netloc


def to_send(request: Request) -> httpcore.Request:
    """`request` as httpcore takes it."""
    url, host = _url(request.url)
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in {**_HEADERS, **request.headers}.items()]
    if request.body:
        headers.append((b"Content-Length", b"%d" % len(request.body)))
    waits = {"connect": min(CONNECT_TIMEOUT, request.timeout)}
    waits |= dict.fromkeys(("read", "write"), request.timeout)
    return httpcore.Request(
        request.method, url, headers=[(b"Host", host), *headers], content=request.body, extensions={"timeout": waits}
    )


def headers_of(reply: httpcore.Response) -> dict[str, str]:
    """The reply's headers by lower-case name; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in reply.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def pieces_of(reply: httpcore.Response, headers: Mapping[str, str]) -> Iterator[bytes]:
    """The reply's body as it comes, unpacked where the server packed it though nobody asked for that."""
    return _unpacked(reply).iter_bytes() if "content-encoding" in headers else reply.iter_stream()


def async_pieces_of(reply: httpcore.Response, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
    """What `pieces_of` gives, on the running event loop."""
    return _unpacked(reply).aiter_bytes() if "content-encoding" in headers else reply.aiter_stream()


def _unpacked(reply: httpcore.Response) -> httpx.Response:
    return httpx.Response(reply.status, headers=reply.headers, content=reply.stream)

"""One connection to an endpoint: an httpx transport with room for one, straight or through the environment's proxy.

The transport is the layer of httpx below its client. The client's cookies, redirects and look-ups are not wanted here
and cost a third of a short call; the network, TLS, proxies and decoding stay httpx's: no code of our own for those.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from .policy import CONNECT_TIMEOUT, Broken, Request

if TYPE_CHECKING:
    import ssl

_IDLE_SECONDS = 60.0
_LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE_SECONDS)
_HEADERS = {"User-Agent": "azml-magics", "Accept-Encoding": "identity"}  # a compressed stream would stutter


def broken(error: Exception, *, reused: bool = False, begun: bool = False) -> Broken:
    """httpx's exception in the policy's words. `begun`: the reply had begun when it came."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Broken("connect-timeout", error, reused)
    if isinstance(error, httpx.TimeoutException):
        return Broken("timeout", error, reused)
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return Broken("untrusted" if _is_about_trust(error) else "refused", error, reused)
    if isinstance(error, httpx.TransportError | httpx.DecodingError):
        return Broken("broken" if begun else "closed", error, reused)
    return Broken("unsendable", error, reused)


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether a certificate that nobody vouches for is behind it: asking again will not help."""
    while error is not None:
        if type(error).__name__ == "SSLCertVerificationError":  # by name: plain http never loads ssl
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
    return Lane(httpx.HTTPTransport(**_options(url)))


def open_async_lane(url: str) -> Lane:
    """A lane for the running event loop."""
    return Lane(httpx.AsyncHTTPTransport(**_options(url)))


def _options(url: str) -> dict[str, Any]:
    if url.startswith("https:"):
        return {"verify": trusted(), "limits": _LIMITS, "proxy": _proxy_for(urlsplit(url).netloc)}
    # Plain http is this machine alone: no proxy, and nothing encrypted that certificates would have to be loaded for.
    return {"verify": _trusting_nobody(), "limits": _LIMITS}


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


def _trusting_nobody() -> ssl.SSLContext:
    """A context without certificates, which costs nothing to make, and with which no https connection succeeds."""
    if "nobody" not in _contexts:
        import ssl

        _contexts["nobody"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _contexts["nobody"]


# ---- messages ------------------------------------------------------------------------------------------------


_url = lru_cache(maxsize=256)(httpx.URL)  # reading one costs as much as the rest of a request's making


def to_send(request: Request) -> httpx.Request:
    """`request` as httpx takes it."""
    waits = {"connect": min(CONNECT_TIMEOUT, request.timeout)}
    waits |= dict.fromkeys(("read", "write", "pool"), request.timeout)
    return httpx.Request(
        request.method,
        _url(request.url),
        headers={**_HEADERS, **request.headers},
        content=request.body or None,
        extensions={"timeout": waits},
    )


def headers_of(reply: httpx.Response) -> dict[str, str]:
    """The reply's headers by lower-case name; repeated ones are joined by commas."""
    return dict(reply.headers)

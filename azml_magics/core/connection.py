"""One HTTP/1.1 connection: opened straight to the endpoint, or through the proxy that the environment names.

httpcore, the engine of httpx, does the work: its single connections are public, and without the client and the pool
that httpx wraps around them a call costs half as much.
"""

from __future__ import annotations

import os
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

import httpcore

from .policy import CONNECT_TIMEOUT, Broken, Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from urllib.parse import SplitResult

_IDLE_SECONDS = 60.0
_USER_AGENT = b"azml-magics"
_IN_URLS = "%/:=&?~#+!$,;'@()*[]"  # the characters that quoting leaves alone


def broken(error: Exception, *, reused: bool = False, begun: bool = False) -> Broken:
    """httpcore's exception in the policy's words. `begun`: the head of a reply had come."""
    if isinstance(error, httpcore.ConnectTimeout | httpcore.PoolTimeout):
        return Broken("connect-timeout", error, reused)
    if isinstance(error, httpcore.TimeoutException):
        return Broken("timeout", error, reused)
    if begun:
        return Broken("broken", error, reused)
    if isinstance(error, httpcore.ConnectError | httpcore.ProxyError):
        return Broken("untrusted" if _is_untrusted(error) else "refused", error, reused)
    if isinstance(error, httpcore.NetworkError | httpcore.RemoteProtocolError):
        return Broken("closed", error, reused)
    return Broken("unsendable", error, reused)


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate that nobody vouches for is behind `error`."""
    import ssl

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

    @property
    def is_usable(self) -> bool:
        """Whether it waits for a request and the server has not hung up; a proxy's lane looks after that itself."""
        connection = self.connection
        return isinstance(connection, _PROXIES) or (connection.is_idle() and not connection.has_expired())


_PROXIES = (httpcore.ConnectionPool, httpcore.AsyncConnectionPool)


def open_lane(url: str) -> Lane:
    """A lane to the origin of `url`; it connects with its first request."""
    return Lane(_opened(urlsplit(url), httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy, {}))


def open_async_lane(url: str) -> Lane:
    """A lane for the running event loop."""
    from .network import AsyncioBackend

    kinds = (httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)
    return Lane(_opened(urlsplit(url), *kinds, {"network_backend": AsyncioBackend()}))


def _opened(parts: SplitResult, direct: Any, http_proxy: Any, socks_proxy: Any, options: dict[str, Any]) -> Any:
    options["keepalive_expiry"] = _IDLE_SECONDS
    if parts.scheme == "http":  # this machine: no proxy, nothing encrypted
        return direct(_url(parts).origin, **options)
    options["ssl_context"] = trusted()
    proxy = _proxy_for(parts.netloc)
    if not proxy:
        return direct(_url(parts).origin, **options)
    through = urlsplit(proxy)
    plain = f"{through.scheme}://{through.netloc.rpartition('@')[2]}"
    if through.username:
        options["proxy_auth"] = (through.username, through.password or "")
    return (socks_proxy if through.scheme.startswith("socks") else http_proxy)(plain, max_connections=1, **options)


_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_WITH_PROXY_SETTINGS = ("darwin", "win32")  # there the system itself may name a proxy


def _proxy_for(host: str) -> str:
    """The proxy that the environment, or the system's settings, name for https to `host`; "" for none."""
    if not (any(os.environ.get(name) for name in _PROXY_VARIABLES) or sys.platform in _WITH_PROXY_SETTINGS):
        return ""
    import urllib.request

    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


# ---- trust ---------------------------------------------------------------------------------------------------

_trusted: list[ssl.SSLContext] = []  # of one, made when the first https lane opens


def trusted() -> ssl.SSLContext:
    """The certificates that https connections are checked against: the system's (with SSL_CERT_FILE and SSL_CERT_DIR)
    and certifi's.
    """
    if not _trusted:
        _trusted.append(httpcore.default_ssl_context())
    return _trusted[0]


def set_trusted(certificates: ssl.SSLContext | None) -> None:
    """Check against `certificates` from now on; None goes back to the default."""
    _trusted[:] = [certificates] if certificates else []


# ---- messages ------------------------------------------------------------------------------------------------


def _url(parts: SplitResult) -> httpcore.URL:
    host = parts.hostname or ""
    target = quote(parts.path or "/", safe=_IN_URLS) + (f"?{quote(parts.query, safe=_IN_URLS)}" if parts.query else "")
    name = host.encode() if host.isascii() else host.encode("idna")
    return httpcore.URL(scheme=parts.scheme.encode(), host=name, port=parts.port, target=target.encode())


def to_send(request: Request) -> httpcore.Request:
    """`request` as httpcore takes it."""
    parts = urlsplit(request.url)
    url = _url(parts)
    host = b"[%s]" % url.host if b":" in url.host else url.host
    headers = [
        (b"Host", host if url.port is None else b"%s:%d" % (host, url.port)),
        (b"User-Agent", _USER_AGENT),
        (b"Accept-Encoding", b"identity"),  # answers are small, and a compressed stream would stutter
        *((name.encode(), value.encode()) for name, value in request.headers.items()),
        (b"Content-Length", b"%d" % len(request.body)),
    ]
    waits = {"connect": min(CONNECT_TIMEOUT, request.timeout)}
    waits |= dict.fromkeys(("read", "write", "pool"), request.timeout)
    return httpcore.Request("POST", url, headers=headers, content=request.body, extensions={"timeout": waits})


def headers_of(reply: httpcore.Response) -> dict[str, str]:
    """The reply's headers by lower-case name; repeated ones are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in reply.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class Decoder(Protocol):
    """Pieces of a body in, pieces of what it says out."""

    def decompress(self, piece: bytes, /) -> bytes: ...


class _Plain:
    def decompress(self, piece: bytes, /) -> bytes:
        return piece


def decoder_of(headers: dict[str, str]) -> Decoder:
    """What undoes the body's compression, for a gateway that compresses although nobody asked."""
    compressed = headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip", "deflate"}
    return zlib.decompressobj(zlib.MAX_WBITS | 32) if compressed else _Plain()


def decoded(pieces: Iterable[bytes], headers: dict[str, str]) -> bytes:
    """The whole body."""
    decoder = decoder_of(headers)
    return b"".join([decoder.decompress(piece) for piece in pieces])

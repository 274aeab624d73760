"""What httpx raised -> SendFailure. Classes are told by their names, so that those of httpx2 are understood as well."""

from __future__ import annotations

import ssl
import zlib
from typing import TYPE_CHECKING

from ..proxy_url import Proxy
from .body import ResponseTooLarge, UnknownEncoding
from .exchange import SendFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exchange import Reason
    from .reception import Reception

# Classes of httpx, of httpx2, and of what they let through; the first in the order of an error's bases counts.
_REASONS: dict[str, Reason] = {
    "ConnectTimeout": "connect-timeout",
    "PoolTimeout": "pool-timeout",
    "TimeoutException": "timeout",
    "TimeoutError": "timeout",
    "ConnectError": "connect-error",
    "ProxyError": "connect-error",
    "LocalProtocolError": "invalid",
    "NetworkError": "closed",
    "ProtocolError": "closed",
    "SSLError": "closed",  # bare: from a read on an event loop, or from httpcore before 1.0.6
    ResponseTooLarge.__name__: "too-large",
    UnknownEncoding.__name__: "incomplete",
    zlib.error.__name__: "incomplete",
    "DecodingError": "incomplete",
    "Exception": "invalid",
}


def send_failure(
    error: Exception, reception: Reception | None = None, *, has_begun: bool = False, proxy: str = ""
) -> SendFailure:
    """Classify what was raised.

    Args:
        error: What was raised.
        reception: What the connection received; None if there was no connection.
        has_begun: Whether the response's headers had arrived.
        proxy: The URL of the proxy that the request goes through.
    """
    is_connecting = reception is not None and reception.is_connecting
    reason = _reason(error, is_connecting=is_connecting, has_begun=has_begun)
    if reception is None:
        return SendFailure(reason, error)
    if reason == "timeout" and reception.is_late:
        reason = "total-timeout"
    return SendFailure(
        reason,
        error,
        reused=reception.is_reused,
        has_data=reception.has_data or has_begun or _is_invalid_tls(error),
        seconds=reception.seconds,
        proxy=_name(proxy) if is_connecting else "",
    )


def _reason(error: Exception, *, is_connecting: bool, has_begun: bool) -> Reason:
    broken: Reason = "connect-error" if is_connecting else "incomplete" if has_begun else "closed"
    reason = _REASONS[next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _REASONS)]
    if reason == "timeout" and is_connecting:
        return "connect-timeout"
    if reason == "closed":
        reason = broken
    return "untrusted" if reason == "connect-error" and _is_about_trust(error) else reason


def _name(url: str) -> str:
    proxy = Proxy.of(url)
    return proxy.name if proxy else ""


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

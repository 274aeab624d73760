"""What httpx raised -> SendFailure. Classes are told by their names, so that those of httpx2 are understood as well."""

from __future__ import annotations

import ssl
import zlib
from typing import TYPE_CHECKING

from ..proxy_url import proxy_name
from .body import ResponseTooLarge, UnknownEncoding
from .exchange import SendFailure
from .tls_errors import causes, tls_problem

if TYPE_CHECKING:
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
        proxy=proxy_name(proxy) if is_connecting and not reception.is_tunnel_open else "",
    )


def _reason(error: Exception, *, is_connecting: bool, has_begun: bool) -> Reason:
    broken: Reason = "connect-error" if is_connecting else "incomplete" if has_begun else "closed"
    reason = _REASONS[next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _REASONS)]
    if reason == "timeout" and is_connecting:
        return "connect-timeout"
    if reason == "closed":
        reason = broken
    return "untrusted" if reason == "connect-error" and _is_permanent(error) else reason


def _is_permanent(error: BaseException) -> bool:
    """Whether a retry will not help: a certificate is not trusted, or asked for and missing."""
    problem = tls_problem(error)
    return problem is not None and problem.is_permanent


def _is_invalid_tls(error: BaseException) -> bool:
    """Whether data came that TLS could not read; the end of a connection without TLS's own notice is not data."""
    ends = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    return any(isinstance(cause, ssl.SSLError) and not isinstance(cause, ends) for cause in causes(error))

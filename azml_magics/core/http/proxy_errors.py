"""What a proxy did instead of opening a connection -> what happened, and what to do. The message names the proxy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..errors import EndpointError
    from .exchange import SendFailure

_STATUS = re.compile(r"^\s*([45]\d\d)\b")  # httpx's ProxyError begins with the status of the proxy's response
_UNAUTHORIZED = 407
_CHECK = "Check the proxy in the config's proxy or in HTTPS_PROXY; NO_PROXY names hosts that need none."


def refusal_status(failure: SendFailure) -> int:
    """Return the status that a proxy answered CONNECT with; 0 if it answered nothing that has one."""
    is_refusal = any(kind.__name__ == "ProxyError" for kind in type(failure.error).__mro__)
    match = _STATUS.match(str(failure.error)) if is_refusal else None
    return int(match[1]) if match else 0


def is_refused_by_proxy(failure: SendFailure) -> bool:
    """Whether a proxy refuses the connection for good; its 5xx are temporary."""
    return 400 <= refusal_status(failure) < 500  # noqa: PLR2004 - the 4xx


def proxy_problem(failure: SendFailure) -> tuple[str, str, str]:
    """Return (cause, remedy, error code) for a connection that failed at a proxy; {host} stands for the server."""
    status = refusal_status(failure)
    proxy = f"The proxy {failure.proxy}".rstrip()  # an http_client does not name it
    if status == _UNAUTHORIZED:
        return _wants_password(proxy)
    if status:
        remedy = (
            "Check the URL; if the host is in a private network, NO_PROXY has to name it."
            if status >= 500  # noqa: PLR2004 - the proxy tried and failed
            else "Ask who runs the proxy to allow the host, or name it in NO_PROXY."
        )
        return f"{proxy} did not connect to {{host}}: {{error}}", remedy, "proxy-refused"
    if failure.reason == "connect-timeout":
        return (
            f"{proxy} did not open a connection to {{host}} within {{connect_timeout:g}} s",
            _CHECK,
            "proxy-timeout",
        )
    return f"{proxy} cannot be used: {{error}}", _CHECK, "proxy-unusable"


def name_proxy(error: EndpointError, proxy: str) -> EndpointError:
    """Say in the error of a request over plain http that it went through `proxy`, which may have answered itself."""
    if proxy and error.status == _UNAUTHORIZED:
        error.cause, error.remedy, error.error_code = _wants_password(f"The proxy {proxy}")
    elif proxy:
        error.cause = f"{error.cause}, through the proxy {proxy}"
    return error


def _wants_password(proxy: str) -> tuple[str, str, str]:
    return (
        f"{proxy} requires a user name and password (407)",
        "Put them into its URL, http://USER:PASSWORD@HOST:PORT, in HTTPS_PROXY or in a variable that the config names "
        "as proxy env:NAME.",
        "proxy-authentication",
    )

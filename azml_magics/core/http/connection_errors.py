"""A request without a response -> one exception, with cause and remedy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..endpoints import Origin
from ..errors import APIConnectionError, APITimeoutError, ResponseFormatError
from .proxy_errors import proxy_problem, refusal_status
from .tls_errors import causes, tls_problem

if TYPE_CHECKING:
    from ..errors import AzmlError
    from .exchange import Request, SendFailure

# reason -> what happened, and what to do
_MESSAGES: dict[str, tuple[str, str]] = {
    "connect-error": ("Cannot connect to {host}: {error}", "Check the URL, the network and the VPN."),
    "connect-timeout": (
        "{host} did not accept the connection within {connect_timeout:g} s",
        "Check the network, VPN or private endpoint.",
    ),
    "pool-timeout": (
        "All connections of the HTTP client were in use for {timeout:g} s",
        "Raise the client's limits, or send fewer requests at a time.",
    ),
    "untrusted": ("No TLS connection to {host}: {error}", "Check the server's certificate."),
    "timeout": (
        "No data from {host} for {timeout:g} s",
        "Raise timeout, ask for fewer tokens, or stream. "
        "The request was not repeated: the model may still be working on it.",
    ),
    "total-timeout": (
        "The response of {host} was not complete within {total_timeout:g} s",
        "Raise total_timeout, or ask for fewer tokens. "
        "The request was not repeated: the model may still be working on it.",
    ),
    "too-large": (
        "The response of {host} has {error}",
        "Ask for fewer tokens, or raise the client's max_response_bytes.",
    ),
    "closed": (
        "The connection to {host} broke before the response was complete: {error}",
        "The request may have been processed and was not repeated. Check the deployment's logs, or try again.",
    ),
    "invalid": ("The request to {host} could not be sent: {kind}: {error}", "Check the URL."),
}
_MESSAGES["incomplete"] = _MESSAGES["closed"]


def connection_error(failure: SendFailure, request: Request) -> AzmlError:
    """Build the exception for a request without a response; its cause is what the network raised."""
    message, remedy, code = _describe(failure)
    kind = type(failure.error).__name__
    cause = message.format(
        host=Origin.of(request.url).netloc,
        error=_words(failure.error) or ("" if failure.reason == "invalid" else kind),
        kind=kind,
        timeout=request.timeout,
        connect_timeout=request.connect_timeout,
        total_timeout=request.total_timeout,
    )
    error: AzmlError
    if failure.reason == "timeout":
        error = APITimeoutError(cause, remedy=remedy, error_code="no-data", facts={"timeout": request.timeout})
    elif failure.reason == "total-timeout":
        facts = {"timeout": request.total_timeout}
        error = APITimeoutError(cause, remedy=remedy, error_code="total-timeout", facts=facts)
    elif failure.reason == "too-large":
        error = ResponseFormatError(cause, remedy=remedy, error_code="response-too-large")
    else:
        error = APIConnectionError(cause, remedy=remedy, error_code=code)
    error.__cause__ = _without_frames(failure.error)
    return error


def _describe(failure: SendFailure) -> tuple[str, str, str]:
    """(what happened, what to do, error code); the names in braces are filled in by `connection_error`."""
    tls = tls_problem(failure.error) if failure.reason in {"untrusted", "connect-error", "closed"} else None
    if tls is not None:
        host = f"the proxy {failure.proxy}" if failure.proxy else "{host}"
        cause = tls.cause.replace("{host}", host)
        return cause[0].upper() + cause[1:], tls.remedy, tls.error_code
    if failure.proxy or refusal_status(failure):
        return proxy_problem(failure)
    return (*_MESSAGES[failure.reason], f"connection-{failure.reason}")


def _words(error: Exception) -> str:
    """What the error says, or what led to it does: an event loop's network errors are often empty."""
    return next((str(cause) for cause in causes(error) if str(cause)), "")


def _without_frames(error: BaseException) -> BaseException:
    """Remove the frames of `error` and its causes: a traceback with locals would show the key's header."""
    current: BaseException | None = error
    while current is not None and current.__traceback__ is not None:
        current.__traceback__ = None
        current = current.__cause__ or current.__context__
    return error

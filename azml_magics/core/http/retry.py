"""The policy of one call as a generator: what to send, how long to wait, what to raise. No I/O, no HTTP library.

It yields Send and Sleep and is sent replies; transport.py's drivers do what it says. So retries, token refresh and
error mapping are the same for sync and async, and are tested without sockets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..endpoints import Origin
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    AzmlError,
    EndpointError,
    RateLimitError,
    ServiceUnavailableError,
)
from . import status_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

CONNECT_TIMEOUT = 10.0
_LONGEST_DELAY = 30.0
_OK = 200
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire. `fallback`: a plainer body, for a server that refuses `stream_options`."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    stream: bool = False
    fallback: bytes | None = field(default=None, repr=False)
    method: str = "POST"


@dataclass(frozen=True)
class Send:
    """The policy asks to send this request; `fresh`: on a connection that has served nothing yet."""

    request: Request
    fresh: bool = False


@dataclass(frozen=True)
class Sleep:
    """The policy asks to wait."""

    seconds: float


@dataclass
class Answer:
    """A reply. `body` is whole unless the request asked for a stream and the status is 200; then `stream` has it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # a server may echo the key
    body: bytes = field(default=b"", repr=False)
    stream: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Broken:
    """No reply: why, what was raised, and whether the connection had served before.

    how: "refused" (no connection opened), "connect-timeout", "timeout" (no byte in time), "closed" (the connection
    ended without a reply), "broken" (it ended within one), "untrusted" (its certificate), "unsendable".
    """

    how: Literal["refused", "connect-timeout", "timeout", "closed", "broken", "untrusted", "unsendable"]
    error: Exception
    reused: bool = False


Plan: TypeAlias = "Generator[Send | Sleep, Answer | Broken | None, Answer]"


def attempts(
    request: Request,
    *,
    max_retries: int,
    refreshed: Callable[[], Mapping[str, str]] | None = None,
    again: Callable[[AzmlError], bool | None] | None = None,
    jitter: Callable[[], float] = random.random,
) -> Plan:
    """The plan of one call: yields what to do, returns the 200, raises the error.

    Retries what the service says is passing (429, 500, 502, 503, 424 around them or without a ready instance) and a
    connection that never opened, `max_retries` times, after Retry-After or half a second doubling, with jitter, at
    most 30 s. Not 408, 504 or a read timeout: the model goes on computing, and a repeat adds to its load. A kept-alive
    connection that the server had closed is replaced once, beyond that count. `refreshed` gives headers with a fresh
    token; it is tried once after a 401. `again`, asked of every error, may have the request sent once more, at once and
    beyond that count, or never (False): where many prompts wait for their turns, the waiting is done there.
    """
    retried = 0
    while True:
        outcome = yield Send(request)
        if isinstance(outcome, Broken) and outcome.reused and outcome.how == "closed":
            outcome = yield Send(request, fresh=True)
        if isinstance(outcome, Answer):
            if outcome.status == _OK:
                return outcome
            error: AzmlError = status_errors.fault(
                outcome.status, outcome.headers, outcome.body, request_bytes=len(request.body)
            )
            if outcome.status == _UNAUTHORIZED and refreshed is not None:
                request, refreshed = replace(request, headers=refreshed()), None
                continue
            if request.fallback is not None and _refuses_stream_options(error):
                request = replace(request, body=request.fallback, fallback=None)
                continue
            passing = isinstance(error, RateLimitError | ServiceUnavailableError)
        else:
            assert isinstance(outcome, Broken)
            error = broken(outcome, request)
            passing = outcome.how in {"refused", "connect-timeout"}
        wish = again(error) if again is not None else None
        if wish:
            continue
        if retried >= max_retries or not passing or wish is False:
            raise error from error.__cause__
        yield Sleep(_delay(error, retried, jitter))
        retried += 1


def _refuses_stream_options(error: AzmlError) -> bool:
    return isinstance(error, EndpointError) and error.status in {400, 422, 424} and "stream_options" in error.body


def _delay(error: AzmlError, retried: int, jitter: Callable[[], float]) -> float:
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return min(float(asked), _LONGEST_DELAY)
    return min(0.5 * 2.0**retried, _LONGEST_DELAY) * (0.5 + jitter() / 2)


def broken(outcome: Broken, request: Request) -> AzmlError:
    """The error for a call without a reply."""
    host = Origin.of(request.url).netloc
    error = outcome.error
    made: AzmlError
    if outcome.how == "refused":
        remedy = "Check the URL, the network and the VPN."
        made = APIConnectionError(f"Cannot connect to {host}: {error}", remedy=remedy)
    elif outcome.how == "connect-timeout":
        made = APIConnectionError(
            f"{host} did not take the connection within {min(CONNECT_TIMEOUT, request.timeout):g} s",
            remedy="Check the network, VPN or private endpoint.",
        )
    elif outcome.how == "timeout":
        made = APITimeoutError(
            f"No byte from {host} for {request.timeout:g} s",
            remedy="Raise --timeout, ask for fewer tokens, or stream. "
            "It was not asked again: the model may still be working on it.",
        )
    elif outcome.how == "untrusted":
        made = APIConnectionError(
            f"{host} has a certificate that is not trusted: {error}",
            remedy="Name your organisation's certificates in SSL_CERT_FILE before starting Jupyter.",
        )
    elif outcome.how == "unsendable":
        made = APIConnectionError(
            f"The request to {host} could not be sent: {type(error).__name__}: {error}", remedy="Check the URL."
        )
    else:
        made = APIConnectionError(
            f"The connection to {host} broke before the answer was whole: {str(error) or type(error).__name__}",
            remedy="Try again; look at the deployment's logs if it stays so.",
        )
    made.__cause__ = _without_frames(error)
    return made


def _without_frames(error: BaseException) -> BaseException:
    """`error` and all that led to it without their frames: a traceback with locals would show the key's header."""
    following: BaseException | None = error
    while following is not None and following.__traceback__ is not None:
        following.__traceback__ = None
        following = following.__cause__ or following.__context__
    return error

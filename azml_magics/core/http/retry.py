"""The retry flow of one call, as a generator: what to send, how long to wait, what to raise. No I/O, no HTTP library.

It yields SendRequest, RefreshKeys and Wait and is sent the outcomes; transport.py does what it says. So retries, token
refresh and error mapping are the same for sync and async, and are tested without sockets.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ..errors import (
    APITimeoutError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    NotFoundError,
    RateLimitError,
    ServiceUnavailableError,
)
from . import status_errors, waiting
from .connection_errors import connection_error
from .exchange import HTTPResponse, Outcome, Request, SendFailure, is_success
from .proxy_errors import is_refused_by_proxy, name_proxy
from .request_id import id_for_logs, with_request_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..errors import AzmlError

_FIRST_DELAY = 0.5  # seconds
_MAX_DELAY = 30.0  # seconds, without Retry-After
_UNAUTHORIZED = 401
_MODEL_ERROR = 424  # of the front door, around the container's own status
_NO_STREAM = re.compile(r"(not|n't) support(ed)? stream|stream(ing)? is not supported", re.IGNORECASE)
_ALWAYS_SENT = {"input", "messages", "model", "prompt", "stream"}
_VAGUE = {"request-rejected", "parameters-rejected", "wrong-formatter"}  # codes of refusals that name no reason
_FINAL = (APITimeoutError, BadRequestError, ContentFilterError, NotFoundError)  # whatever the status
_SCORING_FAILED = "scoring-failed"
_TEMPORARY = {429, 500, 502, 503, *range(520, 530)}  # 520-529 are those of proxies such as Cloudflare


@dataclass(frozen=True)
class SendRequest:
    """A step of the flow: send this request; `new_connection`: not over a kept one."""

    request: Request
    new_connection: bool = False


@dataclass(frozen=True)
class Wait:
    """A step of the flow: wait before the next attempt."""

    seconds: float


@dataclass
class RefreshKeys:
    """A step of the flow: put what `refresh` returns, the request with new keys, into `request`."""

    request: Request
    refresh: Callable[[Request], Request | Awaitable[Request]]


Step: TypeAlias = SendRequest | Wait | RefreshKeys
RetryFlow: TypeAlias = Generator[Step, Outcome | None, HTTPResponse]


def retry_flow(
    request: Request,
    *,
    max_retries: int,
    refresh: Callable[[Request], Request | Awaitable[Request]] | None = None,
    should_retry: Callable[[AzmlError], bool | None] | None = None,
    jitter: Callable[[], float] = random.random,
) -> RetryFlow:
    """Decide what one call sends, and when, until it has an answer or an error that is not temporary.

    Temporary are 429, 500, 502, 503, 424 around them or without a ready instance, 520-529, and connections that could
    not be opened. The wait is Retry-After, or half a second, doubling up to 30 s, with jitter. If Retry-After is longer
    than `waiting.LONGEST_WAIT`, a retry would be useless: the error is raised at once and says when to try again. Waits
    are reported to the observer of waiting.py. Not retried are 408, 504 and timeouts: the model goes on computing, and
    a repeat adds to its load. Nor are connections that break: the request may have been processed. Only a kept
    connection that breaks at once, without a byte of a response, is replaced, once and beyond the count: the server had
    closed it before the request came.

    Args:
        request: The request to send.
        max_retries: Retries of temporary failures.
        refresh: Returns the request with fresh keys; called once, after a 401, by whoever follows the flow.
        should_retry: Called with every error that remains. True sends the request again, at once and beyond the count;
            False never does; None leaves it to `max_retries`. A rate limiter does the waiting this way.
        jitter: Returns random numbers from 0 to 1.

    Yields:
        SendRequest, to be answered by its outcome; RefreshKeys; and Wait.

    Returns:
        The response, whose status is 2xx.

    Raises:
        AzmlError: The error of the last attempt.
    """
    retries = attempts = 0
    try:
        while True:
            attempts += 1
            attempt = with_request_id(request)
            outcome = yield SendRequest(attempt)
            if isinstance(outcome, SendFailure) and outcome.is_stale_connection:
                attempts += 1
                attempt = with_request_id(request)
                outcome = yield SendRequest(attempt, new_connection=True)
            assert outcome is not None
            if isinstance(outcome, HTTPResponse) and is_success(outcome.status):
                return replace(outcome, attempts=attempts, client_request_id=id_for_logs(attempt))
            error = _error_from(outcome, attempt)
            if refresh is not None and _is_unauthorized(outcome):
                renewal = RefreshKeys(request, refresh)
                yield renewal
                request, refresh = renewal.request, None
                continue
            plainer = _without_addition(error, request) or _without_stream(error, request)
            if plainer is not None:
                request = plainer
                continue
            decision = should_retry(error) if should_retry is not None else None
            if decision:
                continue
            is_temporary = decision is None and _is_temporary(outcome, error)
            seconds = _delay(error, retries, jitter)
            if is_temporary and seconds > waiting.LONGEST_WAIT:
                raise waiting.say_when(error, seconds) from error.__cause__
            if retries >= max_retries or not is_temporary:
                raise error from error.__cause__
            retries += 1
            waiting.report(waiting.Waiting(waiting.reason_of(error), seconds, retries + 1, max_retries + 1))
            yield Wait(seconds)
    finally:
        if retries:
            waiting.report(None)


def advance(flow: RetryFlow, outcome: Outcome | None = None) -> Step | HTTPResponse:
    """Send the outcome of the last step into the flow; its next step, or the response at its end."""
    try:
        return flow.send(outcome)
    except StopIteration as done:
        response: HTTPResponse = done.value
        return response


def last_request(flow: RetryFlow, reason: BaseException) -> SendRequest | None:
    """Throw into the flow what ends it early; the request that it still has to send, or None."""
    try:
        step = flow.throw(reason)
    except BaseException:  # noqa: BLE001 - the reason, which the caller raises
        return None
    return step if isinstance(step, SendRequest) else None


def _error_from(outcome: Outcome, request: Request) -> AzmlError:
    if isinstance(outcome, SendFailure):
        error = connection_error(outcome, request)
        return error if outcome.is_unreachable else error.add_context(request_id=id_for_logs(request))
    refusal = status_errors.status_error(
        outcome.status, outcome.headers, outcome.body, url=request.url, request_bytes=len(request.body)
    )
    return name_proxy(refusal, outcome.proxy).add_context(request_id=id_for_logs(request))


def _is_unauthorized(outcome: Outcome) -> bool:
    return isinstance(outcome, HTTPResponse) and outcome.status == _UNAUTHORIZED


def _without_addition(error: AzmlError, request: Request) -> Request | None:
    """The request without what was added to it, if the server may have refused that; else None.

    Many servers do not say what they refuse. One that names a parameter of the fallback did not refuse the addition.
    """
    if request.fallback is None or not isinstance(error, BadRequestError):
        return None
    added, kept = _keys_of(request.body), _keys_of(request.fallback)
    is_vague = error.error_code in _VAGUE and not error.facts["param"]
    if any(_names(error, key) for key in added - kept) or (
        is_vague and not any(_names(error, key) for key in kept - _ALWAYS_SENT)
    ):
        return replace(request, body=request.fallback, fallback=None)
    return None


def _without_stream(error: AzmlError, request: Request) -> Request | None:
    """The request for the whole response, if the server refused to stream it; else None.

    Some models do not stream, such as the pro models of the Responses API.
    """
    if not (request.stream and isinstance(error, BadRequestError)):
        return None
    if error.facts["param"] != "stream" and not _NO_STREAM.search(error.body):
        return None
    value = json.loads(request.body) if "stream" in _keys_of(request.body) else {}
    plainer = {name: part for name, part in value.items() if name not in {"stream", "stream_options"}}
    return replace(request, body=json.dumps(plainer).encode(), fallback=None) if len(plainer) < len(value) else None


def _keys_of(body: bytes) -> set[str]:
    """The parameters in a request's body."""
    try:
        value = json.loads(body)
    except ValueError:
        return set()
    return set(value) if isinstance(value, dict) else set()


def _names(error: BadRequestError, key: str) -> bool:
    """Whether the refusal is about the parameter `key`, or mentions it."""
    return re.search(rf"\b{re.escape(key)}\b", f"{error.facts['param']} {error.body}") is not None


def _is_temporary(outcome: Outcome, error: AzmlError) -> bool:
    if isinstance(outcome, SendFailure):
        return outcome.is_unreachable and not is_refused_by_proxy(outcome)
    if isinstance(error, _FINAL) or error.error_code == _SCORING_FAILED:
        return False
    if outcome.status == _MODEL_ERROR and isinstance(error, RateLimitError | ServiceUnavailableError):
        return True
    inner = error.inner_status if isinstance(error, EndpointError) else None
    return outcome.status in _TEMPORARY or inner in _TEMPORARY


def _delay(error: AzmlError, retries: int, jitter: Callable[[], float]) -> float:
    """Seconds before the next attempt."""
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        return float(retry_after)
    return min(_FIRST_DELAY * 2.0**retries, _MAX_DELAY) * (0.5 + jitter() / 2)

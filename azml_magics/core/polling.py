"""Responses that a server makes in the background: asked for until they are ready, cancelled if no caller waits.

A generator like that of retry.py, without I/O, so that whole calls, streams and runs over rows poll in the same way.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import APITimeoutError
from .http import waiting
from .http.retry import SendRequest, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from .http.exchange import HTTPResponse, Request
    from .http.retry import RetryFlow
    from .wire.base import Pending

FIRST_DELAY = 0.5  # seconds
MAX_DELAY = 15.0  # seconds
_GROWTH = 1.5
_CANCEL_TIMEOUT = 3.0  # seconds: an interrupt waits for it


def polling_flow(
    request: Request,
    start: Callable[[Request], RetryFlow],
    find_pending: Callable[[HTTPResponse], Pending | None],
    clock: Callable[[], float] = time.monotonic,
) -> RetryFlow:
    """Send a request, and ask for its response until it is ready.

    Args:
        request: The request of the call. Its headers and its total_timeout hold for every further request.
        start: Starts the flow of one request.
        find_pending: Returns where to ask for a response that is not ready; None for one that is.
        clock: Returns seconds.

    Yields:
        As `retry_flow` does. What ends the wait early, such as an interrupt, has to be thrown into the generator: it
        then yields the request that cancels the response.

    Returns:
        The response that is ready.

    Raises:
        AzmlError: The error of the last request, or an APITimeoutError after the request's total_timeout.
    """
    began = clock()
    response = yield from start(request)
    if find_pending(response) is None:
        return response
    attempts, delay = response.attempts, FIRST_DELAY
    try:
        while (pending := find_pending(response)) is not None:
            left = None if request.total_timeout is None else began + request.total_timeout - clock()
            response = yield from _ask_again(request, start, pending, delay if left is None else min(delay, left))
            delay = min(delay * _GROWTH, MAX_DELAY)
    finally:
        waiting.report(None)
    response.attempts = attempts
    return response


def _ask_again(request: Request, start: Callable[[Request], RetryFlow], pending: Pending, delay: float) -> RetryFlow:
    """Wait, and ask for the response; without time left, or once the caller has stopped waiting, cancel it."""
    cancel = replace(request, url=pending.cancel_url, body=b"{}", fallback=None, timeout=_CANCEL_TIMEOUT)
    if delay <= 0:
        yield SendRequest(cancel)
        raise _timeout_error(request)
    try:
        waiting.report(waiting.Waiting(pending.status, delay))
        yield Wait(delay)
        return (yield from start(replace(request, method="GET", url=pending.url, body=b"", fallback=None)))
    except (Exception, GeneratorExit):
        raise
    except BaseException:
        yield SendRequest(cancel)
        raise


def _timeout_error(request: Request) -> APITimeoutError:
    return APITimeoutError(
        f"The response was not ready after {request.total_timeout:g} s, and was cancelled",
        remedy="Raise total_timeout.",
        error_code="total-timeout",
        facts={"timeout": request.total_timeout},
    )

"""One attempt in the trace of its call: a span, and the headers that carry the trace to the server.

Source: OpenTelemetry's semantic conventions for HTTP client spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..endpoints import Origin
from ..redaction import redact
from ..tracing.opentelemetry_api import find_opentelemetry, has_http_spans
from ..tracing.opentelemetry_spans import OpenTelemetrySpan, current_call
from ..tracing.quiet import quietly
from .exchange import HTTPResponse, is_success

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..tracing.opentelemetry_api import OpenTelemetry
    from ..tracing.opentelemetry_spans import OpenTelemetryCall
    from .exchange import Outcome, Request

_FAILED = 400  # from this status on


class SendAttempt:
    """One attempt to send a request, without a trace.

    Attributes:
        request: What is sent.
    """

    def __init__(self, request: Request) -> None:
        self.request = request

    def __enter__(self) -> Self:
        return self

    def record(self, outcome: Outcome) -> Outcome:
        """Note what came of it, and return that. Of a stream, these are the headers."""
        return outcome

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        pass


class TracedAttempt(SendAttempt):
    """An attempt with a span below that of its call, if there is one, and headers that carry the trace."""

    def __init__(self, request: Request, api: OpenTelemetry) -> None:
        super().__init__(request)
        self._api = api
        self._call = current_call()
        self._span: OpenTelemetrySpan | None = None
        self._outcome: Outcome | None = None

    def __enter__(self) -> Self:
        if self._call is not None:
            self._span = quietly(_start, self._api, self.request, self._call)
        if self._span is not None:
            quietly(self._span.attach)
        if headers := quietly(self._api.inject, self.request.headers):
            self.request = self.request.with_headers({**self.request.headers, **headers})
        return self

    def record(self, outcome: Outcome) -> Outcome:
        """Note what came of it, and return that. Of a stream, these are the headers."""
        self._outcome = outcome
        return outcome

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._call is not None and self._outcome is not None:
            self._call.last_outcome = _failure_of(self._outcome)
        if self._span is not None:
            quietly(self._span.detach)
            quietly(_end, self._span, self._outcome, error)


def trace_attempt(request: Request) -> SendAttempt:
    """Return the attempt to send a request. httpx's own instrumentation, if it is on, makes a span of it itself."""
    api = find_opentelemetry()
    return SendAttempt(request) if api is None or has_http_spans() else TracedAttempt(request, api)


def _start(api: OpenTelemetry, request: Request, call: OpenTelemetryCall) -> OpenTelemetrySpan:
    call.attempts += 1
    origin, url = Origin.of(request.url), urlsplit(request.url)
    attributes = {
        "http.request.method": request.method,
        "url.full": redact(f"{url.scheme}://{origin.netloc}{url.path}", *request.secrets),  # a query may hold keys
        "server.address": origin.host,
        "server.port": origin.port,
    }
    if call.last_outcome:
        attributes |= {"http.request.resend_count": call.attempts - 1, "azml_magics.retry.reason": call.last_outcome}
    return OpenTelemetrySpan(api, request.method, attributes, is_client=True)


def _end(span: OpenTelemetrySpan, outcome: Outcome | None, error: BaseException | None) -> None:
    try:
        if isinstance(outcome, HTTPResponse):
            span.set({"http.response.status_code": outcome.status})
            if outcome.status >= _FAILED:
                span.fail(str(outcome.status))
        elif outcome is not None:
            span.fail(outcome.reason)
        elif error is not None:
            span.fail(type(error).__name__)
    finally:
        span.finish()


def _failure_of(outcome: Outcome) -> str:
    """Return why the request is sent again, if it is: its status or what broke; "" after a success."""
    if isinstance(outcome, HTTPResponse):
        return "" if is_success(outcome.status) else str(outcome.status)
    return outcome.reason

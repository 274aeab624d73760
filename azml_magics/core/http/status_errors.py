"""HTTP status, headers and body of a failed request -> one exception, with cause and remedy. Pure.

Sources: Azure ML "Troubleshooting online endpoints" (status codes, 424 headers), the Azure AI Model Inference API
reference, and the error bodies that the servers behind it are known to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import (
    APITimeoutError,
    BadRequestError,
    EndpointError,
    ModelError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from ..text import one_line
from ..wire.error_parts import make_filter_error, parse_error_verdicts
from . import error_body, refusals
from .error_headers import inner_status, request_id, retry_after
from .refusal_rules import Explanation
from .refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_BODY = 64 * 1024
_NO_TRAFFIC = "Specified traffic group could not be found"
_FILTER_MESSAGE = "content safety setting"  # of the curated images' server, which sends no code
# Values of the front door's header ms-azureml-model-error-reason for instances that cannot take a request now.
_BUSY = {"too_many_pending_request"}
_NOT_READY = {"model_not_ready", "too_few_model_instance"}


_BY_STATUS: Mapping[int, Explanation] = {
    400: Explanation(
        BadRequestError,
        "The endpoint rejected the request",
        "Check the model kwargs and the formatter.",
        "request-rejected",
    ),
    404: Explanation(
        NotFoundError, "The endpoint has no such route", "Check the URL's path, and that it fits the formatter."
    ),
    402: Explanation(PermissionDeniedError, "The account has no credit", "Check the account's billing.", "no-credit"),
    405: Explanation(BadRequestError, "The route does not accept POST", "Check the URL's path."),
    406: Explanation(
        BadRequestError,
        "The endpoint cannot answer in the form that was requested",
        "Ask for the whole response in place of a stream.",
        "not-acceptable",
    ),
    408: Explanation(
        APITimeoutError,
        "The model took longer than the endpoint waits",
        "Raise the deployment's request_timeout_ms (at most 180,000), ask for fewer tokens, or stream.",
    ),
    413: Explanation(BadRequestError, "The request is too large for the endpoint", "Shorten the prompt or the images."),
    415: Explanation(
        BadRequestError, "The endpoint does not accept this content type", "Check the formatter's content_type."
    ),
    422: Explanation(
        BadRequestError,
        "The endpoint does not accept these parameters",
        "Remove or correct the parameter it names.",
        "parameters-rejected",
    ),
    429: Explanation(
        RateLimitError, "Too many requests or tokens", "Wait, lower the concurrency, or scale the deployment out."
    ),
    431: Explanation(BadRequestError, "A header of the request is too long", "Check the key: it may be another text."),
    500: Explanation(
        ServiceUnavailableError, "The endpoint failed", "Try again; check the deployment's logs if it happens again."
    ),
    502: Explanation(
        ServiceUnavailableError, "The model server crashed or is not running", "Check the deployment's logs."
    ),
    503: Explanation(
        ServiceUnavailableError,
        "The endpoint is overloaded or starting",
        "Try again in a few minutes, or scale it out.",
    ),
    504: Explanation(
        APITimeoutError, "The model took longer than the endpoint waits", "Ask for fewer tokens or raise its timeout."
    ),
}


def status_error(
    status: int, headers: Mapping[str, str], body: bytes, *, url: str = "", request_bytes: int = 0
) -> EndpointError:
    """Build the exception for a response whose status is not 2xx.

    Args:
        status: The HTTP status.
        headers: By lower-case name. The request id and the deployment are read from them.
        body: As received.
        url: Where the request went, which tells the kind of endpoint.
        request_bytes: The size of the request's body, for the message of a 413.
    """
    text = body[:_MAX_BODY].decode("utf-8", "replace")
    value = error_body.parse(text)
    message = error_body.message_of(value)
    inner = inner_status(headers) if status == 424 else None
    context: dict[str, Any] = {
        "status": status,
        "inner_status": inner,
        "headers": headers,
        "body": text,
        "retry_after": retry_after(headers, message),
        "request_id": request_id(headers),
        "deployment": headers.get("azureml-model-deployment") or headers.get("x-ms-deployment-name", ""),
    }
    end = f"({f'{status}, {inner} inside' if inner else status})" + (f": {one_line(message, 300)}" if message else "")
    if error_body.is_filter_error(value) or _FILTER_MESSAGE in message:
        return make_filter_error(parse_error_verdicts(value), end, **context)
    codes, param = error_body.codes_of(value), error_body.param_of(value)
    refusal = Refusal(inner or status, codes, message, headers, url, param)
    (kind, cause, remedy, code), facts = _explain(status, inner, refusal)
    if status == 413 and request_bytes:
        cause = cause.replace("request", f"request of {request_bytes:,} bytes", 1)
    return kind(f"{cause} {end}", remedy=remedy, error_code=code, facts={"param": param, **facts}, **context)


def _explain(status: int, inner: int | None, refusal: Refusal) -> tuple[Explanation, Mapping[str, Any]]:
    """Explain a failure; return its facts, too."""
    headers, message = refusal.headers, refusal.message
    if status == 424 and (busy := _explain_load(inner, headers.get("ms-azureml-model-error-reason", ""), message)):
        return busy, {}
    return refusals.explain(refusal) or (_explain_status(status, inner, message), {})


def _explain_status(status: int, inner: int | None, message: str) -> Explanation:
    if status == 424:
        return _explain_model_error(inner)
    if status == 404 and _NO_TRAFFIC in message:
        return Explanation(
            NotFoundError,
            "The endpoint has no deployment with traffic, or none of that name",
            "Give a deployment traffic, or set deployment_name.",
            "no-deployment",
        )
    known = _BY_STATUS.get(status)
    if known:
        return known
    if 300 <= status < 400:
        return Explanation(
            NotFoundError,
            "The endpoint redirects elsewhere, and keys are not sent to another host",
            "Use the final URL.",
        )
    kind = ServiceUnavailableError if status >= 500 else BadRequestError
    return Explanation(kind, "The endpoint returned an unusual status", "Check the URL and the deployment's logs.")


def _explain_load(inner: int | None, reason: str, message: str) -> Explanation | None:
    """Explain a 424 for lack of room; None if it has another reason.

    The front door puts the container's own status and a reason into headers.
    """
    if reason in _BUSY or inner == 429:
        return Explanation(
            RateLimitError,
            "The deployment has too many pending requests",
            "Lower the concurrency, or raise max_concurrent_requests_per_instance or the instance count.",
        )
    if reason in _NOT_READY or "no healthy upstream" in message or inner == 503:
        return Explanation(
            ServiceUnavailableError,
            "The deployment has no instance ready",
            "Wait: a new instance of a language model takes about ten minutes to load.",
        )
    return None


def _explain_model_error(inner: int | None) -> Explanation:
    """Explain any other 424."""
    if inner == 404:
        return Explanation(
            NotFoundError, "The deployment has no such route", "Check the URL's path, and the formatter."
        )
    if inner in {408, 504}:
        return _BY_STATUS[408]
    if inner == 406:
        return _BY_STATUS[406]
    if inner in {400, 413, 415, 422}:
        return Explanation(
            BadRequestError,
            "The deployment rejected the request",
            "It probably needs another formatter. Check the model kwargs, too.",
            "wrong-formatter",
        )
    return Explanation(
        ModelError,
        "The model or its scoring script failed",
        "Often the formatter does not match the deployment. Check its logs (az ml online-deployment get-logs).",
    )

"""HTTP status, headers and body of a refusal -> one exception of errors.py, with cause and remedy. Pure.

Sources: Azure ML "Troubleshooting online endpoints" (status codes, 424 headers), the Azure AI Model Inference API
reference, and the error bodies that the servers behind it are known to send.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    EndpointError,
    ModelError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from ..text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_BODY = 64 * 1024
_NO_TRAFFIC = "Specified traffic group could not be found"
_FILTER_CODES = {"content_filter", "ResponsibleAIPolicyViolation"}
_FILTER_WORDS = "content safety setting"  # how the catalogue's own server says it, without a code
_DEEPEST = 8
# What the front door says in ms-azureml-model-error-reason of instances that cannot take a request right now.
_BUSY = {"too_many_pending_request"}
_NOT_READY = {"model_not_ready", "too_few_model_instance"}


class _Fault(NamedTuple):
    kind: type[EndpointError]
    what: str
    remedy: str


_BY_STATUS: Mapping[int, _Fault] = {
    400: _Fault(
        BadRequestError, "The endpoint refused the request", "Check the model kwargs and the formatter (--dry-run)."
    ),
    401: _Fault(
        AuthenticationError,
        "The endpoint did not accept the key",
        "Check that the key belongs to this endpoint and has not been regenerated or expired (%azureml test).",
    ),
    403: _Fault(
        PermissionDeniedError,
        "The endpoint does not allow this",
        "Check your role (onlineEndpoints/score/action) and whether the endpoint takes calls from this network.",
    ),
    404: _Fault(NotFoundError, "There is no such route", "Check the URL's path, and that it fits the formatter."),
    405: _Fault(BadRequestError, "The route does not take POST", "Check the URL's path."),
    408: _Fault(
        APITimeoutError,
        "The model took longer than the endpoint waits",
        "Raise the deployment's request_timeout_ms (at most 180,000), ask for fewer tokens, or stream.",
    ),
    413: _Fault(BadRequestError, "The request is too large for the endpoint", "Shorten the prompt or the images."),
    415: _Fault(BadRequestError, "The endpoint does not take this content type", "Check the formatter's content_type."),
    422: _Fault(
        BadRequestError,
        "The endpoint does not take these parameters",
        "Take out or mend the parameter it names (--dry-run shows the request).",
    ),
    429: _Fault(
        RateLimitError, "Too many requests or tokens", "Wait, lower the concurrency, or scale the deployment out."
    ),
    431: _Fault(BadRequestError, "A header of the request is too long", "Check the key: is it the right text?"),
    500: _Fault(ServiceUnavailableError, "The endpoint failed", "Try again, then check the deployment's logs."),
    502: _Fault(ServiceUnavailableError, "The model server crashed or is away", "Look at the deployment's logs."),
    503: _Fault(
        ServiceUnavailableError, "The endpoint is overloaded or starting", "Try again in a while, or scale it out."
    ),
    504: _Fault(
        APITimeoutError, "The model took longer than the endpoint waits", "Ask for fewer tokens or raise its timeout."
    ),
}


def fault(status: int, headers: Mapping[str, str], body: bytes, *, request_bytes: int = 0) -> EndpointError:
    """The exception for a reply that is not 200: `headers` by lower-case name, `body` as received.

    The place (config, deployment) is for the caller to fill in; the request id is taken from the headers.
    """
    text = body[:_LARGEST_BODY].decode("utf-8", "replace")
    value = _json(text)
    said = message_in(value) if value is not None else _plain(text)
    inner = inner_status(headers) if status == 424 else None
    kind, what, remedy = _classified(status, inner, headers, said, value)
    if status == 413 and request_bytes:
        what = what.replace("request", f"request of {request_bytes:,} bytes", 1)
    shown_status = f"{status}, {inner} inside" if inner else str(status)
    cause = f"{what} ({shown_status})" + (f": {one_line(said, 300)}" if said else "")
    return kind(
        cause,
        remedy=remedy,
        status=status,
        inner_status=inner,
        headers=headers,
        body=text,
        retry_after=retry_after(headers, said),
        request_id=request_id(headers),
        deployment=headers.get("azureml-model-deployment", ""),
    )


def _classified(status: int, inner: int | None, headers: Mapping[str, str], said: str, value: Any) -> _Fault:
    if _is_filter(value) or _FILTER_WORDS in said:
        return _Fault(ContentFilterError, "The content filter stopped the prompt", "Rephrase the prompt.")
    if status == 424:
        return _model_error(inner, headers.get("ms-azureml-model-error-reason", ""), said)
    if status == 404 and _NO_TRAFFIC in said:
        return _Fault(
            NotFoundError,
            "The endpoint has no deployment with traffic, or none of that name",
            "Give a deployment traffic, or name one with --deployment.",
        )
    known = _BY_STATUS.get(status)
    if known:
        return known
    if 300 <= status < 400:
        return _Fault(
            NotFoundError,
            "The endpoint redirects elsewhere, and a key is not carried along",
            "Put the final URL into the config.",
        )
    kind = ServiceUnavailableError if status >= 500 else BadRequestError
    return _Fault(kind, "The endpoint answered with an unusual status", "Check the URL; look at the deployment's logs.")


def _model_error(inner: int | None, reason: str, said: str) -> _Fault:
    """What a 424 stands for: the front door puts the container's own status and a reason into headers."""
    if reason in _BUSY or inner == 429:
        return _Fault(
            RateLimitError,
            "The deployment has too many pending requests",
            "Lower the concurrency, or raise max_concurrent_requests_per_instance or the instance count.",
        )
    if reason in _NOT_READY or "no healthy upstream" in said or inner == 503:
        return _Fault(
            ServiceUnavailableError,
            "The deployment has no instance ready",
            "Wait: a new instance of a language model takes some ten minutes to load.",
        )
    if inner == 404:
        return _Fault(NotFoundError, "The deployment has no such route", "Check the URL's path, and the formatter.")
    if inner in {408, 504}:
        return _BY_STATUS[408]
    if inner in {400, 413, 415, 422}:
        return _Fault(
            BadRequestError,
            "The deployment does not understand this request",
            "Its formatter is probably another one: try -f with another name, and check the model kwargs.",
        )
    return _Fault(
        ModelError,
        "The model or its scoring script failed",
        "Often the formatter does not match the deployment; its logs tell (az ml online-deployment get-logs).",
    )


def inner_status(headers: Mapping[str, str]) -> int | None:
    """The container's own status behind a 424, or None where the front door does not say."""
    text = headers.get("ms-azureml-model-error-statuscode", "")
    return int(text) if re.fullmatch(r"[1-9][0-9]{2}", text) else None


def request_id(headers: Mapping[str, str]) -> str:
    """The id under which the service can find the request in its logs, or ""."""
    for name in ("x-request-id", "apim-request-id", "x-ms-request-id"):
        if headers.get(name):
            return one_line(headers[name], 80)
    return ""


def retry_after(headers: Mapping[str, str], said: str = "") -> float | None:
    """Seconds to wait, from retry-after-ms, Retry-After in seconds or as a date, or "Try again in N seconds"; None
    without them. A date counts from the reply's own Date, so that this machine's clock does not matter.
    """
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", headers.get(name, "")):
            return float(headers[name]) * scale
    if "retry-after" in headers and "date" in headers:
        try:
            waits = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
        except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one with a time zone and one without
            return None
        return max(waits, timedelta(0)).total_seconds()
    found = re.search(r"(?:try again|retry) (?:in|after) (\d{1,6}) (?:milli)?seconds?", said, re.IGNORECASE)
    if found:
        return float(found[1]) * (0.001 if "milli" in found[0].lower() else 1.0)
    return None


def _is_filter(value: Any, depth: int = 0) -> bool:
    """Whether the code of the content filter stands where services put it: at the top, in `error`, in its
    `innererror`, or in the JSON that a front end wrapped into its message.
    """
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, dict) or depth > _DEEPEST:
        return False
    code = value.get("code")
    if isinstance(code, str) and code in _FILTER_CODES:
        return True
    return any(_is_filter(value.get(key), depth + 1) for key in ("error", "innererror", "message"))


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip()[:1] in {"{", "[", '"'} else None
    except (ValueError, RecursionError):
        return None


def _plain(text: str) -> str:
    """Plain text as it is; of an HTML page its title or its words."""
    if text.lstrip()[:1] != "<":
        return text.strip()
    title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    words = title[1] if title else re.sub(r"<[^>]*>", " ", text)
    return f"an HTML page, {one_line(words, 120)!r}"


def message_in(value: Any, depth: int = 0) -> str:
    """The human sentence in an error body of any known shape; "" where there is none."""
    if depth > _DEEPEST or value is None:
        return ""
    if isinstance(value, str):
        nested = _json(value)  # curated images put the inner server's JSON into their message
        return (message_in(nested, depth + 1) if isinstance(nested, dict) else "") or value
    if isinstance(value, list):
        return "; ".join(filter(None, (message_in(item, depth + 1) for item in value[:3])))
    if not isinstance(value, dict):
        return ""
    if "loc" in value and ("msg" in value or "input" in value):  # a validation error (FastAPI, serverless 422)
        where = ".".join(str(part) for part in value["loc"]) if isinstance(value["loc"], list) else str(value["loc"])
        problem = value.get("msg") or f"not {value.get('input')!r}"
        return f"{where}: {problem}"
    parts = [message_in(value.get(key), depth + 1) for key in ("message", "error", "detail", "details", "errors")]
    said = list(dict.fromkeys(part for part in parts if part))[:2]
    if not said:
        return value["code"] if isinstance(value.get("code"), str) else ""
    return ": ".join([*(part.rstrip(". ") for part in said[:-1]), said[-1]])

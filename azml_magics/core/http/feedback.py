"""What the outcome of one request says about its endpoint: Feedback. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import RateLimitError, ServiceUnavailableError
from . import status_errors
from .exchange import SendFailure, is_success
from .quota import Quota, quota_of

if TYPE_CHECKING:
    from ..errors import AzmlError
    from .exchange import Outcome

_OVERLOAD_STATUSES = (429, 503, 529, 424)


@dataclass(frozen=True)
class Feedback:
    """What the outcome of one request says about the endpoint.

    Attributes:
        kind: "success"; "overloaded" (no room for the request now); "no-response" (the connection failed); "neutral"
            (says nothing about load).
        retry_after: Seconds to wait, if the endpoint said so.
        requests, tokens: What is left of the quotas; None if the response does not say.
        reason: The status of an overload, or "no connection".
    """

    kind: Literal["success", "overloaded", "no-response", "neutral"]
    retry_after: float | None = None
    requests: Quota | None = None
    tokens: Quota | None = None
    reason: str = ""


def is_overload(error: AzmlError) -> bool:
    """Whether the endpoint has no room for the request now but would accept it later."""
    return isinstance(error, RateLimitError) or (
        isinstance(error, ServiceUnavailableError) and error.status in _OVERLOAD_STATUSES
    )


def feedback_from(outcome: Outcome | None) -> Feedback:
    """Read the feedback in a request's outcome; None stands for a request that was given up."""
    if outcome is None:
        return Feedback("neutral")
    if isinstance(outcome, SendFailure):
        is_neutral = outcome.is_stale_connection or outcome.reason in {"untrusted", "invalid"}
        return Feedback("neutral") if is_neutral else Feedback("no-response", reason="no connection")
    status, headers = outcome.status, outcome.headers
    quotas = quota_of("requests", headers), quota_of("tokens", headers)
    if status not in _OVERLOAD_STATUSES:
        return Feedback("success" if is_success(status) else "neutral", None, *quotas)
    error = status_errors.status_error(status, headers, outcome.body)
    if not is_overload(error):
        return Feedback("neutral", None, *quotas)
    return Feedback("overloaded", error.retry_after, *quotas, reason=str(status))

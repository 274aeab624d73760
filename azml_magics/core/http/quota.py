"""What responses say about quotas: their rate-limit headers, and which headers a Response keeps. Pure.

Azure OpenAI, Foundry and OpenAI send `x-ratelimit-remaining-requests`, `-limit-requests` and `-reset-requests`, and the
same for tokens; Anthropic sends `anthropic-ratelimit-requests-remaining` and so on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DIGITS = 12
_MAX_RESET = 86_400.0  # seconds
_MAX_VALUE = 200  # characters of a header that a Response keeps
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{0,9})?", re.ASCII)
_DURATION = re.compile(
    r"(?:(?P<d>\d{1,9})d)?(?:(?P<h>\d{1,9})h)?(?:(?P<m>\d{1,9})m(?!s))?"
    r"(?:(?P<s>\d{1,9}(?:\.\d{0,9})?)s)?(?:(?P<ms>\d{1,9}(?:\.\d{0,9})?)ms)?",
    re.ASCII,
)
_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_KEPT = re.compile(
    r"(x-ratelimit-|anthropic-ratelimit-).*"
    r"|retry-after(-ms)?|x-ms-region|x-ms-deployment-name|azureml-model-(deployment|session|group)"
    r"|(x-|x-ms-|apim-|x-ms-client-|x-ms-served-model-|ms-azureml-)?request-id|x-ms-served-model|openai-processing-ms"
)


@dataclass(frozen=True)
class Quota:
    """What is left of one quota.

    Attributes:
        remaining: Requests or tokens that are left now; None if unknown.
        limit: The quota; None if unknown.
        reset: Seconds until it is whole again; None if unknown.
    """

    remaining: int | None = None
    limit: int | None = None
    reset: float | None = None

    @property
    def per_second(self) -> float | None:
        """How fast the quota comes back; None if unknown. Without a reset the quota is one per minute."""
        if self.limit is None or self.remaining is None:
            return None
        if self.reset:
            return max(self.limit - self.remaining, 1) / self.reset
        return max(self.limit, 1) / 60.0


def quota_of(what: str, headers: Mapping[str, str]) -> Quota | None:
    """The quota that a response reports.

    Args:
        what: "requests" or "tokens".
        headers: By lower-case name.

    Returns:
        The quota, or None if the response does not say what is left of it.
    """
    for name in (f"x-ratelimit-{{}}-{what}", f"anthropic-ratelimit-{what}-{{}}"):
        remaining = _count(headers.get(name.format("remaining"), ""))
        if remaining is not None:
            limit = _count(headers.get(name.format("limit"), ""))
            return Quota(remaining, limit, _reset(headers.get(name.format("reset"), ""), headers.get("date", "")))
    return None


def _count(text: str) -> int | None:
    """The count in a header; None for anything else, also for -1, which some routes write for "unknown"."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS else None


def _reset(text: str, date: str) -> float | None:
    """Seconds in a reset header: "59", "6m0s", "120ms", or a date (Anthropic), counted from the response's Date."""
    text = text.strip()
    found = _DURATION.fullmatch(text)
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif text and found:
        seconds = sum(float(found[unit] or 0) * scale for unit, scale in _UNITS.items())
    else:
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
            sent = parsedate_to_datetime(date) if date else datetime.now(timezone.utc)
            seconds = (moment - sent).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one without a time zone
            return None
    return seconds if 0 <= seconds <= _MAX_RESET else None


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a Response keeps: rate limits, region, deployment and the ids of the request."""
    return {name: one_line(value, _MAX_VALUE) for name, value in headers.items() if _KEPT.fullmatch(name)}

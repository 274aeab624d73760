"""Headers of failed responses: how long to wait, the container's own status, the id for the service's logs. Pure."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_WAIT = 86_400.0  # seconds
_SECONDS = re.compile(r"\s*([+-]?\d+(?:\.\d*)?)\s*(?:s?\s*$|,)", re.ASCII)  # a repeated header is "2, 2"


def inner_status(headers: Mapping[str, str]) -> int | None:
    """The container's own status behind a 424, or None if the front door does not name it."""
    text = headers.get("ms-azureml-model-error-statuscode", "")
    return int(text) if re.fullmatch(r"[1-9][0-9]{2}", text) else None


def request_id(headers: Mapping[str, str]) -> str:
    """The id that finds the request in the service's logs, or ""."""
    for name in ("x-request-id", "apim-request-id", "x-ms-request-id"):
        if headers.get(name):
            return one_line(headers[name], 80)
    return ""


def retry_after(headers: Mapping[str, str], message: str = "") -> float | None:
    """Seconds to wait before a retry, from 0 to a day; None if the service does not say, or not legibly.

    They are read from retry-after-ms, from Retry-After in seconds or as a date, or from "Try again in N seconds" in the
    message. A date counts from the response's own Date, so that this machine's clock does not matter.
    """
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        found = _SECONDS.match(headers.get(name, ""))
        if found:
            return _limit_wait(float(found[1]) * scale)
    if "retry-after" in headers and "date" in headers:
        try:
            waits = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
        except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one with a time zone and one without
            return None
        return _limit_wait(waits.total_seconds())
    found = re.search(r"replenished in (\d{1,4}):(\d\d):(\d\d)", message, re.IGNORECASE)
    if found:
        return _limit_wait(float(found[1]) * 3600 + float(found[2]) * 60 + float(found[3]))
    found = re.search(r"(?:try again|retry) (?:in|after) (\d{1,6}) (?:milli)?seconds?", message, re.IGNORECASE)
    if found:
        return _limit_wait(float(found[1]) * (0.001 if "milli" in found[0].lower() else 1.0))
    return None


def _limit_wait(seconds: float) -> float:
    return min(max(seconds, 0.0), _MAX_WAIT)

"""The JSON in the events of a stream, and the errors that servers send as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import ResponseFormatError
from ..text import one_line
from .failures import make_embedded_error

if TYPE_CHECKING:
    from .sse import Event

_JSON = json.JSONDecoder(strict=False)  # control characters inside strings are accepted
_DONE = b"[DONE]"  # the data of the last event on OpenAI routes


def is_done(event: Event) -> bool:
    """Return whether the event is [DONE], with or without blanks around it."""
    return event.data.strip() == _DONE


def parse_event(event: Event) -> dict[str, Any] | None:
    """Return the JSON object in an event's data; None for [DONE], a comment, a ping, and JSON of other types.

    Raises:
        ModelError: The event is an error: `event: error`, or an error object in the data (TGI, vLLM).
        ContentFilterError: The error is the content filter's.
        ResponseFormatError: The data is not JSON.
    """
    if not event.data.startswith(b"{") and (is_done(event) or event.data.startswith(b":")):  # [DONE] or a comment
        return None
    is_error = event.type == "error"
    try:
        value = _JSON.decode(event.data.decode())
    except (ValueError, RecursionError):
        value = event.data.decode("utf-8", "replace")
        if event.type == "message":
            raise ResponseFormatError(
                f"The stream has an event that is not JSON: {one_line(value, 120)!r}",
                remedy="Try again, or without streaming.",
                error_code="stream-event-not-json",
            ) from None
    if not isinstance(value, dict):
        if not is_error:
            return None
        value = {"error": value}
    if is_error or value.get("error") or value.get("object") == "error":
        raise make_embedded_error(value)
    return value

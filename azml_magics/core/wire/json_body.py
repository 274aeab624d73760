"""The JSON in the body of a response, and as text in messages."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ResponseFormatError
from ..text import one_line

_MAX_SHOWN = 120  # characters of a body in a message
_MAX_ENCODINGS = 2  # times that a value may be JSON text inside JSON
_loads = json.JSONDecoder(strict=False).decode  # json.loads makes a new decoder for each text


def decode_json(body: bytes) -> Any:
    """Return the JSON value in `body`.

    A scoring script that returns json.dumps(...) sends JSON as text inside JSON: the value inside is returned. Control
    characters inside strings are accepted.

    Raises:
        ResponseFormatError: The body is empty, an HTML page, or not JSON.
    """
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        raise ResponseFormatError(
            "The endpoint returned status 200 with an empty body",
            remedy="Check that the scoring script returns its result, and that the URL is the scoring URI.",
        )
    if text[0] == "<":
        raise ResponseFormatError(
            f"The endpoint returned an HTML page, not JSON: {one_line(text, _MAX_SHOWN)!r}",
            remedy="Check the URL: a proxy, a login page or a portal responded in its place.",
        )
    try:
        return unwrap_json(_loads(text))
    except (ValueError, RecursionError) as error:
        start = one_line(text, _MAX_SHOWN)
        remedy = "It may be incomplete: try again." if text[0] in "[{" else "Check the URL and route."
        raise ResponseFormatError(
            f"The response is not JSON ({one_line(str(error), 80)}): {start!r}", remedy=remedy
        ) from None


def unwrap_json(value: Any) -> Any:
    """Return the object or list that a text holds as JSON, and any other value as it is."""
    for _ in range(_MAX_ENCODINGS):
        if not (isinstance(value, str) and value.lstrip()[:1] in {"{", "["}):
            break
        try:
            value = _loads(value)
        except (ValueError, RecursionError):
            break
    return value


def as_text(value: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is nested too deeply"


def text_or_none(value: Any) -> str | None:
    """Return a text that is not empty, else None."""
    return value if isinstance(value, str) and value else None

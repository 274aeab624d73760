"""Fallback: reads every response that an endpoint is known to send on /score, whatever the request looked like.

On /score the request does not tell the shape of the response: the model catalogue's GPT-2 alone had three, and scoring
scripts are written by hand. Wire formats that fall back on this accept each other's responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .openai_choices import parse_choices
from .output_record import parse_output_record
from .records import GENERATED_TEXT_KEYS

if TYPE_CHECKING:
    from ..response import Response

_TEXT_KEYS = (*GENERATED_TEXT_KEYS, "output", "answer", "text", "response", "result", "0", "predictions")


def parse_any_shape(value: Any, keys: tuple[str, ...] = ()) -> Response:
    """Return the response in decoded JSON: a list of choices, a record, or a list of texts or records.

    Args:
        value: The decoded JSON.
        keys: Where the wire format itself has its text in a record; other known places come after them.

    Raises:
        ContentFilterError: The finish reason is the content filter's; `response` has the text up to there.
        ModelError: The value reports a failure, or its text is empty.
        ResponseFormatError: There is no text at any known place.
    """
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return parse_choices(value)
    return parse_output_record(value, (*keys, *_TEXT_KEYS), any_column=True)

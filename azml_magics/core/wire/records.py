"""Finds the text in records and lists, as scoring scripts return them: `["t"]`, `[{"0": "t"}]`, `{"answer": "t"}`.

Each wire format names the keys under which its text is.
"""

from __future__ import annotations

from typing import Any

from ..response import Response
from .failures import make_empty_text_error, make_missing_text_error

_MAX_DEPTH = 8  # of lists and records around a text
# Keys under which a text is never the model's.
_NEVER_TEXT = ("error", "message", "detail", "label", "score", "exception")

GENERATED_TEXT_KEYS = ("generated_text", "summary_text", "translation_text")
"""Where Hugging Face pipelines put their text: generation, summarization, translation."""


def parse_record(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> Response:
    """Return the response in decoded JSON that has a text and nothing else of interest.

    Args:
        value: As for `find_text`.
        keys: As for `find_text`.
        any_column: As for `find_text`.

    Raises:
        ModelError: The text is empty.
        ResponseFormatError: There is no text at those places.
    """
    text = find_text(value, keys, any_column=any_column)
    if not text:
        raise make_empty_text_error()
    return Response(text, raw=value)


def find_text(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> str:
    """Return the first text in decoded JSON.

    Args:
        value: A text, a record, or a list of either, of which the first counts. Records may be nested.
        keys: Where a record's text is; the first key that the record has counts.
        any_column: Whether the text of a record with one key counts under any key.

    Raises:
        ResponseFormatError: There is no text at those places.
    """
    found = value
    for _ in range(_MAX_DEPTH + 1):
        if isinstance(found, str):
            return found
        if isinstance(found, list) and found:
            found = found[0]
        elif isinstance(found, dict) and (key := find_text_key(found, keys, any_column=any_column)) is not None:
            found = found[key]
        else:
            break
    raise make_missing_text_error(found)


def find_text_key(record: dict[str, Any], keys: tuple[str, ...], *, any_column: bool) -> str | None:
    """Return the first of `keys` that the record has; None if it has none.

    With `any_column` the key of a record's only text counts as well.
    """
    for key in keys:
        if key in record:
            return key
    if any_column and len(record) == 1:
        only, value = next(iter(record.items()))
        return only if isinstance(value, str) and only not in _NEVER_TEXT else None
    return None

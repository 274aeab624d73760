"""Reads texts out of records and lists, as scoring scripts return them: `["t"]`, `[{"0": "t"}]`, `{"output": "t"}`.

Each wire format names the keys at which its text is.
"""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from ..response import Response, Usage
from .failures import is_filtered, make_empty_text_error, make_missing_text_error, raise_if_filtered
from .openai_choices import extract_reasoning, normalize_tool_calls, text_or_none

_MAX_DEPTH = 8  # of lists and records around a text
# Keys under which a text is never the model's.
_NEVER_TEXT = ("error", "message", "detail", "label", "score", "exception")

GENERATED_TEXT_KEYS = ("generated_text", "summary_text", "translation_text")
"""Where Hugging Face pipelines put their text: generation, summarization, translation."""


def parse_record(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> Response:
    """Return the response in decoded JSON without choices.

    Args:
        value: A text, a record, or a list of either, of which the first counts. Records may be nested.
        keys: Where a record's text is; the first key that the record has counts.
        any_column: Whether the text of a record with one key counts under any key.

    Raises:
        ContentFilterError: The finish reason is the content filter's; `response` has the text up to there.
        ModelError: The record reports a failure, or the text is empty and no finish reason says that the model is done.
        ResponseFormatError: There is no text at those places.
    """
    record = value if isinstance(value, dict) else {}
    _raise_for_missing_output(record)
    details = record.get("details")  # TGI
    details = details if isinstance(details, dict) else {}
    finish_reason = text_or_none(record.get("finish_reason") or details.get("finish_reason"))
    calls = normalize_tool_calls(record.get("tool_calls"))
    if (calls or is_filtered(finish_reason)) and not record.get("output"):
        text = ""
    else:
        text = _find_text(value, keys, any_column)
        if not text and finish_reason is None:
            raise make_empty_text_error()
    response = Response(
        text,
        raw=value,
        usage=Usage.from_wire(record.get("usage"))
        or Usage.from_wire({"completion_tokens": details.get("generated_tokens")}),
        finish_reason=finish_reason,
        tool_calls=calls,
        reasoning=extract_reasoning(record),
        model=text_or_none(record.get("model")) or "",
    )
    raise_if_filtered(finish_reason, response)
    return response


def _find_text(value: Any, keys: tuple[str, ...], any_column: bool) -> str:
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


def _raise_for_missing_output(record: dict[str, Any]) -> None:
    """Raise the failure that the curated images report in `output`: null, or the text "None"."""
    if record.get("output") == "None" and not record.get("finish_reason"):
        raise ModelError(
            'The deployment answered {"output": "None"}, which is how its model server reports a failure',
            remedy="The prompt may be longer than the model's context; look at the deployment's logs.",
            status=200,
        )
    if "output" in record and record["output"] is None and not record.get("tool_calls"):
        raise ModelError("The deployment answered without an output", remedy="Look at its logs.", status=200)

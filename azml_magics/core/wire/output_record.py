"""Reads the records of the curated images' /score: `{"output": t}`, since 2026 with finish reason, usage and more.

Sources: Azure ML's curated foundation-model images; foundation-model-serve.
"""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from ..response import Response, Usage
from .failures import is_filtered, make_empty_text_error, raise_if_filtered
from .openai_choices import extract_reasoning, text_or_none
from .records import find_text
from .tool_calls import normalize_tool_calls


def parse_output_record(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> Response:
    """Return the response in a record with `output`, or at other `keys`, and what the record says about it.

    Args:
        value: As for `find_text`.
        keys: As for `find_text`.
        any_column: As for `find_text`.

    Raises:
        ContentFilterError: The finish reason is the content filter's; `response` has the text up to there.
        ModelError: The record reports a failure, or its text is empty without a finish reason.
        ResponseFormatError: There is no text at those places.
    """
    record = value if isinstance(value, dict) else {}
    _raise_for_missing_output(record)
    finish_reason = text_or_none(record.get("finish_reason"))
    calls = normalize_tool_calls(record.get("tool_calls"))
    if (calls or is_filtered(finish_reason)) and not record.get("output"):
        text = ""
    else:
        text = find_text(value, keys, any_column=any_column)
        if not text and finish_reason is None:
            raise make_empty_text_error()
    response = Response(
        text,
        raw=value,
        usage=Usage.from_wire(record.get("usage")),
        finish_reason=finish_reason,
        tool_calls=calls,
        reasoning=extract_reasoning(record),
        model=text_or_none(record.get("model")) or "",
    )
    raise_if_filtered(finish_reason, response)
    return response


def _raise_for_missing_output(record: dict[str, Any]) -> None:
    """Raise the failure that the curated images report in `output`: null, or the text "None"."""
    if record.get("output") == "None" and not record.get("finish_reason"):
        raise ModelError(
            'The deployment returned {"output": "None"}, which is how its model server reports a failure',
            remedy="The prompt may be longer than the model's context; look at the deployment's logs.",
            status=200,
        )
    if "output" in record and record["output"] is None and not record.get("tool_calls"):
        raise ModelError("The deployment returned no output", remedy="Look at its logs.", status=200)

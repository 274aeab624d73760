"""Reads the records and lists of scoring scripts: `["t"]`, `[{"0": "t"}]`, `{"output": "t", "finish_reason": …}`.

Each wire format names the keys under which its text is; a text anywhere else is not the answer.

Sources: Azure ML's curated foundation-model images; foundation-model-serve; Hugging Face's task API.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..response import Response, Usage
from .failures import (
    is_filtered,
    is_nothing,
    make_empty_text_error,
    make_missing_text_error,
    make_nothing_error,
    raise_if_filtered,
)
from .openai_content import extract_reasoning, extract_text
from .reasoning import split_reasoning
from .tool_calls import normalize_tool_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Call

_MAX_DEPTH = 8  # of lists and records around a text
# Keys under which a text is never the model's.
_NEVER_TEXT = ("error", "message", "detail", "label", "score", "exception")

GENERATED_TEXT_KEYS = ("generated_text", "summary_text", "translation_text")
"""Where Hugging Face pipelines put their text: generation, summarization, translation."""


def parse_record(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> Response:
    """Return the response in a text, a record, or a list of either, and what the record says about it.

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
    message = record.get("message")
    about: Mapping[str, Any] = {**(message if isinstance(message, dict) else {}), **record}
    finish_reason = extract_text(record.get("finish_reason")) or None
    response = Response(
        "",
        raw=value,
        usage=Usage.from_wire(record.get("usage")),
        finish_reason=finish_reason,
        tool_calls=normalize_tool_calls(about.get("tool_calls")),
        reasoning=extract_reasoning(dict(about)).strip(),
        model=extract_text(record.get("model")),
    )
    if not _is_without_text(record, response):
        text = find_text(value, keys, any_column=any_column)
        if finish_reason is None and is_nothing(text):
            raise make_nothing_error(text)
        if not text and finish_reason is None:
            raise make_empty_text_error()
        response = replace(response, text=text)
    raise_if_filtered(finish_reason, response)
    return response


def _is_without_text(record: Mapping[str, Any], response: Response) -> bool:
    """Return whether the record's `output` may be missing: a tool call, a filter, or thoughts up to a limit.

    Raises:
        ModelError: It is null for no such reason, which is how the curated images report a failure.
    """
    if record.get("output"):
        return False
    if response.tool_calls or is_filtered(response.finish_reason):
        return True
    if response.is_truncated and (response.reasoning or record.get("output") is None):
        return True
    if "output" in record and record["output"] is None:
        raise ModelError("The deployment returned no output", remedy="Look at its logs.", status=200)
    return False


def find_text(value: Any, keys: tuple[str, ...], *, any_column: bool = False) -> str:
    """Return the first text in decoded JSON.

    Args:
        value: A text, a record, or a list of either, of which the first counts. Records may be nested.
        keys: Where a record's text is; the first key that the record has counts.
        any_column: Whether the text of a record with one key counts under any key.

    Raises:
        ModelError: The record reports a failure.
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
    raise make_missing_text_error(found if isinstance(found, dict) else value)


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


def clean_generated(response: Response, call: Call) -> Response:
    """Return the response of a text-generation server without the prompt in front of it and without thoughts.

    Such servers repeat the prompt unless `return_full_text` is false; it stays if the call asks for it.
    """
    text = response.text if call.kwargs.get("return_full_text") else drop_prompt(response.text, call.text)
    if text != response.text and not text.strip():
        return replace(response, notices=(*response.notices, "The response repeats the prompt and adds nothing."))
    if response.reasoning:
        return replace(response, text=text)
    reasoning, text = split_reasoning(text)
    if text == response.text and not reasoning:
        return response
    return replace(response, text=text, reasoning=reasoning)


def drop_prompt(text: str, prompt: str) -> str:
    """Return the text without the prompt that it begins with, unless that is only the beginning of a word."""
    start = len(text) - len(text.lstrip())
    prompt = prompt.strip()
    if not prompt or not text.startswith(prompt, start):
        return text
    rest = text[start + len(prompt) :]
    return text if prompt[-1].isalnum() and rest[:1].isalnum() else rest

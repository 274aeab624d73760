"""What a tool returns, as the text that the model gets."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ..prompt.value_text import text_of_value

MAX_RESULT = 20_000
"""Characters of a result that the model gets: about 5,000 tokens. Every later step sends them again."""


def to_text(value: Any) -> str:
    """Return a result as text: a text as it is, a table or an array as a prompt shows it, anything else as JSON.

    What JSON cannot hold is its `str()`. A long result is cut, and the text says so.
    """
    return _cut(value if isinstance(value, str) else _text_of(value))


def describe_error(error: BaseException) -> str:
    """Return the text that tells the model why a tool failed."""
    return _cut(f"Error: {type(error).__name__}: {error}".removesuffix(": "))


def _text_of(value: Any) -> str:
    content = getattr(value, "content", None)  # what LangChain's tools return for a call with an id
    if isinstance(content, str) and hasattr(value, "tool_call_id"):
        return content
    if hasattr(value, "to_string") or hasattr(value, "to_csv") or hasattr(value, "write_csv"):
        return text_of_value(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=_to_json)
    except (TypeError, ValueError, RecursionError):  # such as keys that are no texts
        return text_of_value(value)


def _to_json(value: Any) -> Any:
    """Return a value within a result as JSON data: numbers of numpy, dates, dataclasses, pydantic objects."""
    for method in ("tolist", "isoformat", "model_dump"):
        if callable(convert := getattr(value, method, None)) and not isinstance(value, type):
            return convert()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    return text_of_value(value)


def _cut(text: str) -> str:
    if len(text) <= MAX_RESULT:
        return text
    return f"{text[:MAX_RESULT]}… [cut: the first {MAX_RESULT:,} of {len(text):,} characters]"

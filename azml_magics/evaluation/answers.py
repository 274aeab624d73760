"""Answers and expectations as plain data, texts and numbers, so that they can be compared."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from ..rows.table_rows import is_missing

_FINAL = ".,;:!?…。、।؟ \t\n"  # what may end an answer without being part of it
_SIGN = r"(?:(?<![\w)])[-+\u2212])?"  # of 10-20 and of a date the hyphen is none
_WHOLE = r"(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d+)"
_NUMBER = re.compile(rf"{_SIGN}(?:{_WHOLE}(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")


def has_expectation(value: Any) -> bool:
    """Return whether a cell holds an expectation: it is not None, NaN, pandas' NA or NaT, or a text of blanks only."""
    if isinstance(value, str):
        return not value.isspace() and bool(value)
    return not is_missing(value)


def as_text(value: Any) -> str:
    """Return an answer or an expectation as text: "true" for True, 1 for 1.0, JSON for lists and objects."""
    value = to_plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if value is None or isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def normalize(value: Any) -> str:
    """Return the text of an answer without case, superfluous blanks and final punctuation."""
    text = unicodedata.normalize("NFC", as_text(value)).casefold()
    folded = " ".join(text.split())
    return folded.rstrip(_FINAL) or folded  # an answer of punctuation alone stays


def last_number(text: str) -> float | None:
    """Return the last number in a text, None without one."""
    found = None
    for found in _NUMBER.finditer(text):  # noqa: B007 - the last one is used below
        pass
    return _read_number(found[0]) if found else None


def to_plain(value: Any) -> Any:
    """Return a value of numpy, an Enum, a date or a model as plain data."""
    if value is None or type(value) in {str, bool, int, float, list, dict}:
        return value
    if isinstance(value, enum.Enum):
        return to_plain(value.value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (tuple, set, frozenset, Mapping)):
        return _to_plain_container(value)
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json", warnings=False)
    if hasattr(value, "tolist"):  # a scalar or an array of numpy
        return to_plain(value.tolist())
    return value


def _to_plain_container(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else sorted(value, key=str)  # a set has no order


def normalize_data(value: Any) -> Any:
    """Return JSON data with its texts normalized, and 1 for 1.0."""
    value = to_plain(value)
    if isinstance(value, list):
        return [normalize_data(part) for part in value]
    if isinstance(value, dict):
        return {str(name): normalize_data(part) for name, part in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return normalize(value) if isinstance(value, str) else value


def from_json(value: Any) -> Any:
    """Return the data of a JSON text; anything else unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def is_number(value: Any) -> bool:
    """Return whether a plain value is a number; True and False count as 1 and 0."""
    return isinstance(value, (bool, int, float)) or type(value).__name__ == "Decimal"


def as_number(value: Any) -> float | None:
    """Return the number that a value is, or that its whole text is; None for anything else."""
    value = to_plain(value)
    if is_number(value):
        return _in_range(value)
    if not isinstance(value, str):
        return None
    text = " ".join(value.split()).rstrip(_FINAL + "%")
    if text.casefold() in {"true", "false"}:
        return float(text.casefold() == "true")
    return _read_number(text) if _NUMBER.fullmatch(text) else None


def _read_number(text: str) -> float | None:
    return _in_range(re.sub("[,\u00a0\u202f]", "", text.replace("\u2212", "-")))


def _in_range(value: Any) -> float | None:
    try:
        number = float(value)
    except (OverflowError, ValueError):  # more digits than a float takes
        return None
    return None if math.isnan(number) else number

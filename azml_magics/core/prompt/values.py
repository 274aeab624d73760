r"""Values that users type as text, such as the kwarg `stop=["\n"]`."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import Any

_LITERAL = re.compile(r"\s*(?:[-+.\d'\"(\[{]|(?:True|False|None)\s*$)")  # how a literal begins


def parse_value(text: str) -> Any:
    """Return the value of `text`: JSON, else a Python literal that JSON can hold, else the text itself.

    NaN and Infinity stay text: JSON has no such numbers.

    Examples:
        >>> [parse_value(text) for text in ("0.5", "true", "True", ".5", "None", "['a']", "hot")]
        [0.5, True, True, 0.5, None, ['a'], 'hot']
    """
    try:
        return json.loads(text, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return _parse_literal(text)


def _parse_literal(text: str) -> Any:
    if not _LITERAL.match(text):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unknown escape such as '\\d', which Python keeps
            return _as_json_value(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


def _as_json_value(value: Any) -> Any:
    """Return a literal as JSON holds it: tuples as lists. Raises ValueError for sets, bytes and complex numbers."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple)):
        return [_as_json_value(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _as_json_value(item) for name, item in value.items()}
    raise ValueError

"""Values that users type as text, such as the kwarg `stop=["\\n"]`."""

from __future__ import annotations

import json
from typing import Any


def parse_value(text: str) -> Any:
    """Return the value of `text` if it is JSON, else the text itself; NaN and Infinity stay text."""
    try:
        return json.loads(text, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return text

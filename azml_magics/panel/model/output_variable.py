"""The notebook's variable that keeps the response."""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING, Any

from azml_magics.compare.comparison import Batch
from azml_magics.core.errors import UsageError
from azml_magics.core.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_output(text: str) -> str:
    """Return the variable's name; "" if the field is empty.

    Raises:
        UsageError: if the text cannot name a variable.
    """
    name = text.strip().removeprefix("$")
    if not name:
        return ""
    if keyword.iskeyword(name):
        raise UsageError(f"{name} is a word of Python", remedy="Choose another name for the response.")
    if not name.isidentifier():
        raise UsageError(
            f"{text.strip()!r} is not a variable's name", remedy="Use letters, digits and _, such as answer."
        )
    return name


def describe_output(name: str, notebook: Mapping[str, Any]) -> str:
    """Return a sentence about what Run would replace; "" if it is nothing, or an earlier response."""
    if name in notebook:
        value = notebook[name]
        if isinstance(value, Response | Batch):
            return ""
        kind = type(value).__name__
        return f"{name} is {'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind} now: Run replaces it."
    if hasattr(builtins, name):
        return f"{name} is a name of Python's own: Run hides it."
    return ""

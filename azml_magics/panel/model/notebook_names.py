"""Names of the notebook's variables in fields of the panel: written plainly or as $name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import UsageError
from azml_magics.core.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def variable_name(text: str) -> str:
    """Return the name that a field's text is, without its dollar sign; "" if it is something else, such as JSON."""
    name = text.strip().removeprefix("$")
    return name if name.isidentifier() else ""


def find_variable(name: str, notebook: Mapping[str, Any]) -> Any:
    """Return a variable of the notebook.

    Raises:
        UsageError: if there is none of that name; the message suggests the closest one.
    """
    if name not in notebook:
        known = [known for known in notebook if not known.startswith("_")]
        hint = did_you_mean(name, known).strip()
        raise UsageError(f"The notebook has no variable {name!r}", remedy=hint or "Define it in a cell.")
    return notebook[name]


def names_of(notebook: Mapping[str, Any], is_wanted: Callable[[Any], bool]) -> list[str]:
    """Return the names of the variables that are wanted, sorted; private ones are left out."""
    return sorted(name for name, value in notebook.items() if not name.startswith("_") and is_wanted(value))

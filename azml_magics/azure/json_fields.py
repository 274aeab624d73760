"""Reads fields of JSON whose shape is not certain. Pure."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 - get_type_hints() needs it
from typing import Any


def pick(value: Any, *names: str) -> Any:
    """Return what the names lead to in nested objects; None if nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any, *names: str) -> str:
    """Return the text that the names lead to; "" if it is something else."""
    found = pick(value, *names)
    return found.strip() if isinstance(found, str) else ""


def objects(value: Any, *names: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the list that the names lead to."""
    found = pick(value, *names)
    yield from (item for item in found if isinstance(item, dict)) if isinstance(found, list) else ()

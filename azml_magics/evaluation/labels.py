"""Labels of a column that differ only in form, which are said before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.text import one_line
from .answers import has_expectation

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_NAMED = 3  # groups of labels in a message


def find_case_variants(labels: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the groups of labels that differ only by case or blanks around them, each in the order of its labels."""
    groups: dict[str, dict[str, None]] = {}
    for label in labels:
        if isinstance(label, str) and has_expectation(label):
            groups.setdefault(" ".join(label.split()).casefold(), {})[label] = None
    return [tuple(group) for group in groups.values() if len(group) > 1]


def describe_case_variants(column: str, labels: Iterable[Any]) -> str:
    """Return a sentence about the labels of a column that differ only by case or blanks; "" if there are none."""
    groups = find_case_variants(labels)
    if not groups:
        return ""
    shown = "; ".join(" and ".join(one_line(repr(label), 40) for label in group[:4]) for group in groups[:_MAX_NAMED])
    more = f" and {len(groups) - _MAX_NAMED} more groups" if len(groups) > _MAX_NAMED else ""
    return f"Labels of {column!r} differ only by case or blanks: {shown}{more}."

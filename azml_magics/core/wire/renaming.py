"""Kwargs that other routes have under another name, so that a config can move between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def take_first(body: dict[str, Any], names: Sequence[str]) -> None:
    """Keep one of several kwargs that mean the same, the first that is set, under the first of their names."""
    given = [body.pop(name) for name in names if name in body]
    if given:
        body[names[0]] = given[0]


def renaming_notices(kwargs: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Say of each kwarg what `take_first` makes of it."""
    kept = next((name for name in names if name in kwargs), None)
    for name in names[1:]:
        if name in kwargs:
            yield f"{name} is sent as {names[0]}." if name == kept else f"{name} is not sent: {kept} is set."

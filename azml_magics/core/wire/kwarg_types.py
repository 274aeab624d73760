"""Model kwargs whose values are of another type than their wire format documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AzmlError
from .registry import formatter_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import LLMConfig

_NUMBERS_AND_SWITCHES = {"number", "integer", "boolean"}


def find_texts_for_numbers(config: LLMConfig, kwargs: Mapping[str, Any]) -> dict[str, str]:
    """Return the kwargs that are texts although their formatter documents a number or a switch.

    Args:
        config: Tells the formatter.
        kwargs: The model kwargs to look at.

    Returns:
        Name -> documented type: "number", "integer" or "boolean". Empty if the config has no formatter.
    """
    texts = [name for name, value in kwargs.items() if isinstance(value, str)]
    known = _documented_types(config) if texts else {}
    return {name: known[name] for name in texts if known.get(name) in _NUMBERS_AND_SWITCHES}


def find_broken_objects(config: LLMConfig, kwargs: Mapping[str, Any]) -> list[str]:
    """Return the names of kwargs that their formatter documents as JSON, and whose texts begin like JSON and are none.

    Args:
        config: Tells the formatter.
        kwargs: The model kwargs to look at.
    """
    texts = [name for name, value in kwargs.items() if isinstance(value, str) and value.lstrip()[:1] in ("{", "[")]
    known = _documented_types(config) if texts else {}
    return [name for name in texts if known.get(name) == "object"]


def _documented_types(config: LLMConfig) -> dict[str, str]:
    """Return kwarg -> type of a config's formatter; empty if there is none, which the call itself reports."""
    try:
        return {kwarg.name: kwarg.type for kwarg in formatter_for(config).kwargs_for(config)}
    except AzmlError:
        return {}

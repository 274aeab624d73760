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
    try:
        known = {kwarg.name: kwarg.type for kwarg in formatter_for(config).kwargs_for(config)} if texts else {}
    except AzmlError:  # the call itself reports it
        return {}
    return {name: known[name] for name in texts if known.get(name) in _NUMBERS_AND_SWITCHES}

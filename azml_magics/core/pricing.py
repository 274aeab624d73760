"""Price: what a model's tokens cost; `cost_of`: what a response cost. Prices come from the user alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .errors import ConfigError

if TYPE_CHECKING:
    from .response import Usage

PER: Final = 1_000_000  # tokens
NO_PRICE: Final = "none"
_NAMES: Final = ("input", "output", "cached_input")
_EXAMPLE: Final = "Write input and output, and cached input if it has its own: 0.15,0.60,0.075."


@dataclass(frozen=True)
class Price:
    """What a million tokens cost, in whatever currency.

    Attributes:
        input: A million tokens of prompts.
        output: A million tokens of responses, thoughts included.
        cached_input: A million tokens of prompts that the endpoint had in its cache; None if they cost as
            much as others.

    Raises:
        ConfigError: A number is negative, or is none.

    Examples:
        >>> str(Price(0.15, 0.6, 0.075))
        '0.15,0.6,0.075'
    """

    input: float
    output: float
    cached_input: float | None = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if value is None and name == "cached_input":
                continue
            object.__setattr__(self, name, _read_amount(name, value))

    def __str__(self) -> str:
        return ",".join(_shortest(value) for value in self._amounts())

    def describe(self) -> str:
        """Return the price in words."""
        words = ("input", "output", "cached input")
        parts = (f"{_shortest(value)} {word}" for value, word in zip(self._amounts(), words, strict=False))
        return f"{', '.join(parts)} per million tokens"

    def to_dict(self) -> dict[str, float]:
        """Return the price as JSON data."""
        return dict(zip(_NAMES, map(_number, self._amounts()), strict=False))

    def _amounts(self) -> tuple[float, ...]:
        return (self.input, self.output, *(() if self.cached_input is None else (self.cached_input,)))


PriceSource: TypeAlias = Price | str | Sequence[float] | Mapping[str, float] | None


def read_price(given: Any) -> Price | None:
    """Return the price that a user gave.

    Args:
        given: A Price, a text such as "0.15,0.60", a sequence of two or three numbers, a dict of `input`, `output` and
            `cached_input`; None or "none" for no price.

    Raises:
        ConfigError: It is something else.
    """
    if given is None or isinstance(given, Price):
        return given
    if isinstance(given, str):
        if given.strip().lower() in ("", NO_PRICE):
            return None
        given = [part.strip() for part in given.split(",")]
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in _NAMES]
        if not unknown and {"input", "output"} <= given.keys():
            return Price(**given)
    elif isinstance(given, Sequence) and len(given) in (2, 3):
        return Price(*given)
    raise ConfigError(f"price takes two or three numbers per million tokens, not {given!r}", remedy=_EXAMPLE)


def cost_of(usage: Usage | None, price: PriceSource) -> float | None:
    """Return what a response cost, None if that is unknown.

    Tokens read from the cache cost `cached_input`. Those written to it, and those of sound, cost as much as other ones,
    because a price has no amount for them.

    Args:
        usage: The token counts of the endpoint.
        price: The price of the config.
    """
    price = read_price(price)
    if usage is None or price is None:
        return None
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if usage.total_tokens is not None:  # embeddings have no completion
        prompt = usage.total_tokens - completion if prompt is None and completion is not None else prompt
        completion = usage.total_tokens - prompt if completion is None and prompt is not None else completion
    if prompt is None or completion is None:
        return None
    cached = min(usage.cached_tokens, prompt)
    cached_price = price.input if price.cached_input is None else price.cached_input
    return ((prompt - cached) * price.input + cached * cached_price + completion * price.output) / PER


def add_costs(costs: Sequence[float | None]) -> float | None:
    """Return the sum of the costs that are known, None if none is."""
    known = [cost for cost in costs if cost is not None]
    return math.fsum(known) if known else None


def format_cost(cost: float | None) -> str:
    """Return a cost as a text with at least two significant digits and two decimals; "" for an unknown one."""
    if cost is None:
        return ""
    if cost == 0:
        return "0"
    decimals = max(2, 1 - math.floor(math.log10(abs(cost))))
    return f"{cost:,.{decimals}f}"


def round_cost(cost: float) -> float:
    """Return a cost with the digits that `format_cost` shows: 0.0010365000000000005 is 0.0010."""
    return float(format_cost(cost).replace(",", ""))


def _read_amount(name: str, value: Any) -> float:
    try:
        amount = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise ConfigError(f"price: {name} must be a number of at least 0, not {value!r}", remedy=_EXAMPLE)
    return amount


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _shortest(value: float) -> str:
    return str(_number(value))

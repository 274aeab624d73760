"""The requests of a comparison: configs times the values of their kwargs times repetitions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .side_by_side import expand_sweep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.config import LLMConfig


@dataclass(frozen=True)
class Plan:
    """What a comparison sends: every combination of its parts.

    Attributes:
        configs: The number of configs.
        sweeps: The values of each swept kwarg.
        repeats: How often each combination is sent.
    """

    configs: int = 1
    sweeps: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    repeats: int = 1

    @property
    def size(self) -> int:
        """The number of requests."""
        return self.configs * math.prod(map(len, self.sweeps.values())) * self.repeats

    def __str__(self) -> str:
        """Return it in words, such as "3 configs x 2 values of temperature x 2 times = 12 requests"."""
        factors = [f"{self.configs} configs"] if self.configs > 1 else []
        factors += [
            f"{len(values)} value{'' if len(values) == 1 else 's'} of {name}" for name, values in self.sweeps.items()
        ]
        factors += [f"{self.repeats} times"] if self.repeats > 1 or not factors else []
        return f"{' x '.join(factors)} = {count_requests(self.size)}" if len(factors) > 1 else count_requests(self.size)

    def expand(self, configs: Sequence[tuple[str, LLMConfig]]) -> list[tuple[dict[str, Any], LLMConfig]]:
        """Return (what is special about it, its config) for every request.

        Args:
            configs: The configs with their names; the name is special if there are several.
        """
        expanded: list[tuple[dict[str, Any], LLMConfig]] = []
        for name, config in configs:
            for setting, changed in expand_sweep(config, self.sweeps):
                labels = {**({"config": name} if len(configs) > 1 else {}), **setting}
                for number in range(1, self.repeats + 1):
                    repeat = {"repeat": number} if self.repeats > 1 or not labels else {}
                    expanded.append(({**labels, **repeat}, changed))
        return expanded


def count_requests(requests: int) -> str:
    """Return a number of requests in words."""
    return f"{requests:,} request{'' if requests == 1 else 's'}"

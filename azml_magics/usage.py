"""UsageTally: how many requests each config and model got, and what they used and cost."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from .core.pricing import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .core.config import LLMConfig
    from .core.response import Response
    from .exchange import Exchange


class UsageKey(NamedTuple):
    """What requests are counted by.

    Attributes:
        config: The config's name; "" for one without a name.
        model: What the endpoint calls its model, else the config's model or deployment; "" if nothing is known.
        day: The day, in local time, as "2026-01-31".
    """

    config: str
    model: str
    day: str


@dataclass
class UsageTotals:
    """The requests of one key.

    Attributes:
        requests: How many were sent, those that failed among them. Retries are not counted.
        failed: How many failed.
        prompt_tokens, completion_tokens: The tokens that endpoints counted.
        cached_tokens: Those of the prompts that came from a cache.
        reasoning_tokens: Those of the responses that are thoughts.
        cost: What the responses cost whose cost is known.
        priced: How many responses that are.
        unpriced: How many responses have no known cost: their config had no price, or nothing was counted.
    """

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float = 0.0
    priced: int = 0
    unpriced: int = 0

    def add_request(self, config: LLMConfig, response: Response | None, error: BaseException | None) -> None:
        """Count a request."""
        self.requests += response.requests if response else 1
        self.failed += error is not None
        usage = response.usage if response else None
        if usage is not None:
            self.prompt_tokens += usage.prompt_tokens or 0
            self.completion_tokens += usage.completion_tokens or 0
            self.cached_tokens += usage.cached_tokens
            self.reasoning_tokens += usage.reasoning_tokens
        cost = cost_of(usage, config.price)
        if cost is not None:
            self.cost += cost
            self.priced += 1
        elif error is None:
            self.unpriced += 1

    def add(self, other: UsageTotals) -> None:
        """Count what another one has counted."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class UsageTally:
    """Counts requests by config, model and day. All methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[UsageKey, UsageTotals] = {}
        self._ids: set[str] = set()

    def add(
        self,
        config: LLMConfig,
        response: Response | None,
        error: BaseException | None = None,
        *,
        at: datetime | None = None,
    ) -> None:
        """Count a request; without a response and an error none was sent.

        Args:
            config: The config that it was sent with.
            response: The response, or what had arrived of it.
            error: Why it failed.
            at: When it was sent; by default now.
        """
        if response is None and error is None:
            return
        day = (at or datetime.now(timezone.utc)).astimezone().strftime("%Y-%m-%d")
        model = (response.model if response else "") or config.model or config.deployment_name
        with self._lock:
            self._counts.setdefault(UsageKey(config.name, model, day), UsageTotals()).add_request(
                config, response, error
            )

    def add_tally(self, other: UsageTally) -> None:
        """Count what another tally has counted."""
        counts = other.counts(by_day=True)
        with self._lock:
            for key, usage in counts.items():
                self._counts.setdefault(key, UsageTotals()).add(usage)

    def add_exchange(self, exchange: Exchange) -> None:
        """Count the request of an exchange; one that was counted already is not counted again."""
        with self._lock:
            if exchange.id in self._ids:
                return
            self._ids.add(exchange.id)
        self.add(exchange.config, exchange.response, exchange.error, at=exchange.recorded_at)

    def with_exchanges(self, exchanges: Iterable[Exchange]) -> UsageTally:
        """Return a copy that counts these exchanges, too."""
        copy = UsageTally()
        with self._lock:
            copy._ids = set(self._ids)
            for key, usage in self._counts.items():
                copy._counts[key] = UsageTotals(**vars(usage))
        for exchange in exchanges:
            copy.add_exchange(exchange)
        return copy

    def counts(self, *, by_day: bool = False) -> dict[UsageKey, UsageTotals]:
        """Return what was counted: by day, the earliest first; else with "" for the day, the first config first."""
        grouped: dict[UsageKey, UsageTotals] = {}
        with self._lock:
            for key, usage in self._counts.items():
                grouped.setdefault(key if by_day else key._replace(day=""), UsageTotals()).add(usage)
        return dict(sorted(grouped.items(), key=lambda item: item[0].day))

"""What a judge's requests used and cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.pricing import format_cost
from ..usage import UsageTally, UsageTotals

if TYPE_CHECKING:
    from ..core.config import LLMConfig
    from ..core.response import Response


@dataclass(frozen=True)
class JudgeUsage:
    """The requests of one judge.

    Attributes:
        name: The name of its score.
        config: The config of its requests.
        total: The requests and their tokens, also those of a journal.
        sent: Those that this run has sent.
    """

    name: str
    config: LLMConfig
    total: UsageTotals = field(default_factory=UsageTotals)
    sent: UsageTally = field(default_factory=UsageTally)

    @property
    def cost(self) -> float | None:
        """What its requests cost, None if that is unknown."""
        return self.total.cost if self.total.priced else None

    def add(self, response: Response | None, error: BaseException | None, *, reused: bool) -> None:
        """Count a request.

        Args:
            response: The response.
            error: Why it failed.
            reused: Whether they come from the journal.
        """
        self.total.add_request(self.config, response, error)
        if not reused:
            self.sent.add(self.config, response, error)

    def __str__(self) -> str:
        """Return the usage as a sentence, such as "The judge small took 20 requests, 1,200 + 300 tokens, 0.0012." """
        total = self.total
        requests = f"{total.requests:,} request{'' if total.requests == 1 else 's'}"
        has_tokens = total.prompt_tokens or total.completion_tokens
        tokens = f"{total.prompt_tokens:,} + {total.completion_tokens:,} tokens" if has_tokens else ""
        failed = f"{total.failed:,} failed" if total.failed else ""
        figures = ", ".join(filter(None, [requests, failed, tokens, format_cost(self.cost)]))
        return f"The judge {self.config.name or self.name} took {figures}."

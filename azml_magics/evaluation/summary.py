"""The figures of an evaluation as data: what its tables, plots, exports and requirements are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - get_type_hints() needs it
from dataclasses import dataclass, field

from .outcome import RIGHT, Outcome
from .settings import Setting  # noqa: TC001 - get_type_hints() needs it
from .statistics import Difference, Interval  # noqa: TC001 - get_type_hints() needs them


@dataclass(frozen=True)
class ScoreSummary:
    """One score over all rows with one setting.

    Attributes:
        name: The score's name.
        mean: The mean of its values; for a score of true and false their share of true. None without values.
        interval: The interval of the mean: Wilson's for a share, else the bootstrap's; None if it is unknown.
        n: How many values there are.
        is_share: Whether its values are true or false.
        errors: How many responses could not be scored.
        difference: How it differs from the first setting on the same rows; None for the first setting.
    """

    name: str
    mean: float | None
    interval: Interval | None
    n: int
    is_share: bool = False
    errors: int = 0
    difference: Difference | None = None

    @property
    def count(self) -> int:
        """How many values are true; for other scores 0."""
        return round(self.mean * self.n) if self.is_share and self.mean is not None else 0


@dataclass(frozen=True)
class SettingSummary:
    """The figures of one setting, its repeats together.

    Attributes:
        setting: The setting.
        rows: How many rows there are, repeats counted apart.
        sent: How many of them have a response or an error.
        failures: How many requests failed, by the name of their error's class.
        without_expectation: How many responses have nothing that they could be compared with.
        scores: The scores by name; RIGHT is the comparison with what the row expects.
        latency_p50, latency_p95: Seconds, None without responses.
        prompt_tokens, completion_tokens, cached_tokens: What the endpoint counted.
        cost: What the responses cost, None if no price or no count is known.
        unpriced: Responses that are not in the cost.
        agreement: The share of rows on which all repeats give the same answer; None without repeats.
    """

    setting: Setting
    rows: int
    sent: int
    failures: Mapping[str, int] = field(default_factory=dict)
    without_expectation: int = 0
    scores: Mapping[str, ScoreSummary] = field(default_factory=dict)
    latency_p50: float | None = None
    latency_p95: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    unpriced: int = 0
    agreement: float | None = None

    @property
    def label(self) -> str:
        """The setting on one line."""
        return self.setting.label

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(self.failures.values())

    @property
    def accuracy(self) -> ScoreSummary | None:
        """The share of right responses; None if no column was expected."""
        return self.scores.get(RIGHT)


@dataclass(frozen=True)
class FailureGroup:
    """Outcomes that are wrong or failed for the same cause.

    Attributes:
        cause: The cause on one line, such as "expected 'cross', got 'glad'" or "RateLimitError: Too many requests".
        kind: "error" for failed requests, "score" for responses that could not be scored, "wrong" for wrong ones.
        count: How many there are.
        examples: The first of them.
    """

    cause: str
    kind: str
    count: int
    examples: Sequence[Outcome]


@dataclass(frozen=True)
class Flip:
    """A row that became right or wrong.

    Attributes:
        before: Its outcome in the baseline.
        after: Its outcome now.
    """

    before: Outcome
    after: Outcome

    @property
    def became_right(self) -> bool:
        """Whether it was wrong and is right; otherwise it was right and is wrong."""
        return bool(self.after.is_right)

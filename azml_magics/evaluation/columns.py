"""The figures of all outcomes as columns, from which summaries of hundreds of thousands are made at once."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING

from ..rows.table_rows import NOT_SENT
from .matches import hash_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .outcome import Outcome, Score

_MAX_LABEL = 100  # characters of an answer that is kept as a label
_MISSING = -1  # of a token count


@dataclass(eq=False)
class OutcomeColumns:
    """The figures of the outcomes, one entry for each: row by row, in a row by setting, then by repeat.

    Attributes:
        settings: How many settings there are.
        repeats: How often each is repeated.
        error: The kind of the error, such as "RateLimitError"; "" without one, "not sent" without a response.
        latency: Seconds, NaN without a response.
        prompt_tokens, completion_tokens, cached_tokens: Token counts, -1 if the endpoint does not say.
        has_expectation: 1 if the row expects something, else 0.
        scores: The values by the name of the score: NaN for a missing one, 1 and 0 for True and False.
        score_failed: 1 if a score is missing because the scorer failed, else 0, by its name.
        answer_hash: The same number for answers that are the same apart from their form; 0 without a response.
        answer, expected: The labels that were compared, by the name of the score; None without one.
        numeric: The names of the scores that had a value besides True and False.
    """

    settings: int
    repeats: int
    error: list[str] = field(default_factory=list)
    latency: array[float] = field(default_factory=lambda: array("d"))
    prompt_tokens: array[int] = field(default_factory=lambda: array("q"))
    completion_tokens: array[int] = field(default_factory=lambda: array("q"))
    cached_tokens: array[int] = field(default_factory=lambda: array("q"))
    has_expectation: bytearray = field(default_factory=bytearray)
    scores: dict[str, array[float]] = field(default_factory=dict)
    score_failed: dict[str, bytearray] = field(default_factory=dict)
    answer_hash: array[int] = field(default_factory=lambda: array("q"))
    answer: dict[str, list[str | None]] = field(default_factory=dict)
    expected: dict[str, list[str | None]] = field(default_factory=dict)
    numeric: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.error)

    @property
    def row_index(self) -> list[int]:
        """The row of each outcome, by its place in the table."""
        width = self.settings * self.repeats
        return [position // width for position in range(len(self))]

    @property
    def setting(self) -> list[int]:
        """The index of the setting of each outcome."""
        return [position // self.repeats % self.settings for position in range(len(self))]

    @property
    def repeat(self) -> list[int]:
        """The number of the repeat of each outcome, from 1."""
        return [position % self.repeats + 1 for position in range(len(self))]

    def extend(self, length: int) -> None:
        """Add outcomes that were not sent until there are `length`."""
        more = length - len(self)
        if more <= 0:
            return
        self.error.extend([NOT_SENT] * more)
        self.latency.extend([math.nan] * more)
        for counts in (self.prompt_tokens, self.completion_tokens, self.cached_tokens):
            counts.extend([_MISSING] * more)
        self.answer_hash.extend([0] * more)
        for flags in (self.has_expectation, *self.score_failed.values()):
            flags.extend(bytes(more))
        for values in self.scores.values():
            values.extend([math.nan] * more)
        for labels in (*self.answer.values(), *self.expected.values()):
            labels.extend([None] * more)

    def truncate(self, length: int) -> None:
        """Remove the outcomes from `length` on, which were not sent."""
        for numbers in (self.latency, *self.scores.values()):
            del numbers[length:]
        for counts in (self.prompt_tokens, self.completion_tokens, self.cached_tokens, self.answer_hash):
            del counts[length:]
        for flags in (self.has_expectation, *self.score_failed.values()):
            del flags[length:]
        for labels in (*self.answer.values(), *self.expected.values()):
            del labels[length:]
        del self.error[length:]

    def set(self, position: int, outcome: Outcome) -> None:
        """Set the figures of an outcome, without its scores."""
        self.extend(position + 1)
        response = outcome.response
        self.has_expectation[position] = bool(outcome.expected)
        if outcome.error is not None:
            self.error[position] = intern(type(outcome.error).__name__)
        elif response is not None:
            self.error[position] = ""
            self.latency[position] = response.latency
            self.answer_hash[position] = hash_answer(outcome)
        if response is not None and (usage := response.usage) is not None:
            self.prompt_tokens[position] = _MISSING if usage.prompt_tokens is None else usage.prompt_tokens
            self.completion_tokens[position] = _MISSING if usage.completion_tokens is None else usage.completion_tokens
            self.cached_tokens[position] = usage.cached_tokens

    def set_scores(self, position: int, scores: Mapping[str, Score]) -> None:
        """Set scores of an outcome, each once."""
        for name, score in scores.items():
            if name not in self.scores:
                self.scores[name] = array("d", [math.nan]) * len(self)
                self.score_failed[name] = bytearray(len(self))
            if score.value is not None:
                self.scores[name][position] = score.value
                if not isinstance(score.value, bool):
                    self.numeric.add(name)
            self.score_failed[name][position] = bool(score.error)
            if score.answer is not None or score.expected is not None:
                self._set_label(self.answer, name, position, score.answer)
                self._set_label(self.expected, name, position, score.expected)

    def _set_label(self, labels: dict[str, list[str | None]], name: str, position: int, label: str | None) -> None:
        if name not in labels:
            labels[name] = [None] * len(self)
        labels[name][position] = None if label is None else intern(label[:_MAX_LABEL])

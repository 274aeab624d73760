"""The figures of each setting, made of the columns of all outcomes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.pricing import cost_of
from ..core.response import Usage
from ..rows.table_rows import NOT_SENT
from .outcome import RIGHT
from .statistics import (
    agreement,
    compare_right,
    fleiss_kappa,
    mean_interval,
    paired_difference,
    percentile,
    wilson_interval,
)
from .summary import ScoreSummary, SettingSummary

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from .columns import OutcomeColumns
    from .outcomes import Outcomes
    from .settings import Setting
    from .statistics import Difference, Interval

T = TypeVar("T")


def summarize(outcomes: Outcomes, *, expects: bool = True) -> list[SettingSummary]:
    """Return the figures of each setting, in their order.

    Args:
        outcomes: The outcomes.
        expects: Whether there are columns of expectations; without them no row lacks one.
    """
    names = _score_names(outcomes.columns)
    means = [[_row_means(outcomes.columns, name, index) for name in names] for index in range(len(outcomes.settings))]
    summaries = [_summarize_setting(outcomes, index, names, means[0], means[index]) for index in range(len(means))]
    return summaries if expects else [replace(summary, without_expectation=0) for summary in summaries]


def values_of(columns: OutcomeColumns, values: Sequence[T], index: int) -> list[Sequence[T]]:
    """Return the entries of a column for one setting: a sequence for each repeat, in the order of the rows."""
    width, first = columns.settings * columns.repeats, index * columns.repeats
    return [values[first + repeat :: width] for repeat in range(columns.repeats)]


def _score_names(columns: OutcomeColumns) -> list[str]:
    """Return the names of the scores, the comparison with what is expected first."""
    return sorted(columns.scores, key=lambda name: name != RIGHT)


def _summarize_setting(
    outcomes: Outcomes, index: int, names: list[str], first: list[list[float]], means: list[list[float]]
) -> SettingSummary:
    columns, setting = outcomes.columns, outcomes.settings[index]
    errors = _flat(columns, columns.error, index)
    kinds = Counter(errors)
    unsent, answered = kinds.pop(NOT_SENT, 0), kinds.pop("", 0)
    latencies = sorted(_without_nan(_flat(columns, columns.latency, index)))
    cost, unpriced = _cost(columns, outcomes.settings[index])
    prompt, completion, cached = (sum(_known(columns, each, index)) for each in _token_columns(columns))
    expects = _flat(columns, columns.has_expectation, index)
    return SettingSummary(
        setting,
        rows=len(errors),
        sent=len(errors) - unsent,
        failures=dict(kinds.most_common()),
        without_expectation=answered - sum(has for error, has in zip(errors, expects, strict=True) if not error),
        scores={
            name: _summarize_score(columns, name, index, (base, own))
            for name, base, own in zip(names, first, means, strict=True)
        },
        latency_p50=percentile(latencies, 0.5),
        latency_p95=percentile(latencies, 0.95),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cost=cost,
        unpriced=unpriced,
        agreement=_agreement(columns, index),
    )


def _summarize_score(
    columns: OutcomeColumns, name: str, index: int, means: tuple[list[float], list[float]]
) -> ScoreSummary:
    values = _without_nan(_flat(columns, columns.scores[name], index))
    first, own = means
    is_share = name not in columns.numeric
    mean = math.fsum(values) / len(values) if values else None
    return ScoreSummary(
        name,
        mean,
        _interval(own, is_share=is_share),
        len(values),
        is_share,
        errors=sum(_flat(columns, columns.score_failed[name], index)),
        difference=_difference(first, own, is_share=is_share and columns.repeats == 1) if index else None,
    )


def _interval(means: list[float], *, is_share: bool) -> Interval | None:
    """Return the interval of a mean of rows. Repeats of a row are one observation: they are not independent."""
    known = _without_nan(means)
    return wilson_interval(math.fsum(known), len(known)) if is_share else mean_interval(known)


def _difference(first: list[float], own: list[float], *, is_share: bool) -> Difference:
    """Return how the rows that both settings have a score of differ."""
    pairs = [(a, b) for a, b in zip(first, own, strict=True) if a == a and b == b]  # noqa: PLR0124 - not NaN
    compare: Any = compare_right if is_share else paired_difference
    difference: Difference = compare([a for a, _ in pairs], [b for _, b in pairs])
    return difference


def _row_means(columns: OutcomeColumns, name: str, index: int) -> list[float]:
    """Return the mean of a score over the repeats of each row; NaN for a row without any."""
    repeats = values_of(columns, columns.scores[name], index)
    if len(repeats) == 1:
        return list(repeats[0])
    means = []
    for values in zip(*repeats, strict=True):
        known = _without_nan(values)
        means.append(math.fsum(known) / len(known) if known else math.nan)
    return means


def measure_kappa(columns: OutcomeColumns, index: int) -> float | None:
    """Return Fleiss' kappa of the repeats of one setting; None without repeats, or if all answers are the same."""
    return fleiss_kappa(_answers(columns, index))


def _agreement(columns: OutcomeColumns, index: int) -> float | None:
    """Return the share of rows on which all repeats that were answered give the same answer."""
    return None if columns.repeats == 1 else agreement(_answers(columns, index))


def _answers(columns: OutcomeColumns, index: int) -> Iterator[list[Hashable]]:
    """Yield the answers of each row. All right answers are the same, whatever else they say."""
    right = columns.scores.get(RIGHT, columns.latency)  # without expectations anything of the same length
    is_compared = RIGHT in columns.scores
    repeats = [values_of(columns, each, index) for each in (columns.error, right, columns.answer_hash)]
    for errors, row, hashes in zip(*(zip(*each, strict=True) for each in repeats), strict=True):
        yield [
            "right" if is_compared and is_right == 1 else answer
            for error, is_right, answer in zip(errors, row, hashes, strict=True)
            if not error
        ]


def _cost(columns: OutcomeColumns, setting: Setting) -> tuple[float | None, int]:
    """Return what the responses with one setting cost, None if that is unknown; and how many are not in it."""
    if setting.config.price is None:
        return None, 0
    counts = zip(*(_flat(columns, each, setting.index) for each in _token_columns(columns)), strict=True)
    priced = [(prompt, completion, cached) for prompt, completion, cached in counts if prompt >= 0 and completion >= 0]
    if not priced:
        return None, 0
    prompt, completion, cached = map(sum, zip(*priced, strict=True))
    details = {"prompt_tokens_details": {"cached_tokens": cached}}
    answered = _flat(columns, columns.error, setting.index).count("")
    return cost_of(Usage(prompt, completion, details=details), setting.config.price), max(answered - len(priced), 0)


def _token_columns(columns: OutcomeColumns) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    return columns.prompt_tokens, columns.completion_tokens, columns.cached_tokens


def _known(columns: OutcomeColumns, counts: Sequence[int], index: int) -> list[int]:
    return [count for count in _flat(columns, counts, index) if count > 0]


def _without_nan(values: Iterable[float]) -> list[float]:
    return [value for value in values if value == value]  # noqa: PLR0124 - quicker than isnan for many


def _flat(columns: OutcomeColumns, values: Sequence[T], index: int) -> list[T]:
    return [value for repeat in values_of(columns, values, index) for value in repeat]

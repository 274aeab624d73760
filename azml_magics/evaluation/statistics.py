"""The figures of an evaluation: intervals, tests and agreement, as pure functions of numbers.

Everything is of the standard library and gives the same figures in every run: what is drawn at random has a seed.
All intervals are two-sided with a confidence of 95 %.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
_SEED = 20
_RESAMPLES = 2000
MAX_RESAMPLED = 250
"""Values up to which a mean is resampled. Above, the normal distribution gives the same interval to two digits."""
_MAX_ENUMERATED = 11  # differences up to which every sign flip is tried: 2,048 of them
SIGNIFICANT = 0.05
"""The p-value from which on a difference counts as chance."""


class Interval(NamedTuple):
    """The bounds between which a figure lies with a confidence of 95 %."""

    low: float
    high: float


class Difference(NamedTuple):
    """How much a figure of paired rows differs from that of the baseline.

    Attributes:
        value: The difference of the means, positive if the baseline's is lower.
        interval: Its interval, None for fewer than two pairs.
        p: The probability of a difference at least as large by chance.
        pairs: How many rows have both figures.
    """

    value: float
    interval: Interval | None
    p: float
    pairs: int

    @property
    def is_chance(self) -> bool:
        """Whether chance explains the difference: p is not below 0.05."""
        return not self.p < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """The difference in words, such as "no difference beyond chance (p = 0.34)" or "better (p = 0.002)"."""
        if not self.pairs:
            return "nothing to compare"
        if self.is_chance:
            return f"no difference beyond chance ({format_p(self.p)})"
        return f"{'higher' if self.value > 0 else 'lower'} ({format_p(self.p)})"


def format_p(p: float) -> str:
    """Return "p = 0.34", "p = 0.002" or "p < 0.001"."""
    if p < 0.001:  # noqa: PLR2004 - the convention of the field
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"  # noqa: PLR2004 - two digits that matter


def wilson_interval(right: float, n: int) -> Interval | None:
    """Return the interval of a proportion by Wilson's score method; None without observations.

    Args:
        right: How many observations count; of repeated ones their mean.
        n: How many there are.
    """
    if n <= 0:
        return None
    share, z2 = right / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Interval(0.0 if right == 0 else centre - half, 1.0 if right == n else centre + half)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return the bootstrap interval of a mean (percentile method); None for fewer than two values.

    Above MAX_RESAMPLED values it is the normal distribution's, which resampling would approach.
    """
    n = len(values)
    if n < 2:  # noqa: PLR2004 - one value says nothing about the spread
        return None
    if n > MAX_RESAMPLED:
        mean, error = _mean_and_error(values)
        return Interval(mean - _Z * error, mean + _Z * error)
    draw = random.Random(_SEED).choices  # noqa: S311 - statistics, no secret
    means = sorted(math.fsum(draw(values, k=n)) / n for _ in range(_RESAMPLES))
    return Interval(_quantile(means, 0.025), _quantile(means, 0.975))


def paired_difference(baseline: Sequence[float], values: Sequence[float]) -> Difference:
    """Return how the mean of paired values differs from the baseline's.

    The interval resamples the rows' differences (`mean_interval`). The p-value flips their signs at random: a paired
    permutation test, exact up to 11 rows that differ. Of few rows it does not claim more than they can show, as a
    resampled p-value would.

    Args:
        baseline: A figure for each row.
        values: The other figure of the same rows, in the same order.
    """
    differences = [value - base for base, value in zip(baseline, values, strict=True)]
    n = len(differences)
    mean = math.fsum(differences) / n if n else 0.0
    return Difference(mean, mean_interval(differences), _sign_flip_p(differences), n)


def compare_right(baseline: Sequence[bool], right: Sequence[bool]) -> Difference:
    """Return how the accuracy of paired rows differs from the baseline's: McNemar's exact test, Newcombe's interval.

    Args:
        baseline: Whether each row was right.
        right: Whether the same rows are right now, in the same order.
    """
    cells = Counter(zip(map(bool, baseline), map(bool, right), strict=True))
    gained, lost = cells[False, True], cells[True, False]
    n = cells.total()
    value = (gained - lost) / n if n else 0.0
    interval = paired_share_interval(cells[True, True], gained, lost, cells[False, False])
    return Difference(value, interval, mcnemar_p(gained, lost), n)


def mcnemar_p(gained: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    Args:
        gained: Rows that only the second one has right.
        lost: Rows that only the first one has right.
    """
    n, least = gained + lost, min(gained, lost)
    if 2 * least >= n - 1:  # the two tails meet
        return 1.0
    # the binomial tail, from its largest term down to what no longer counts
    term = math.exp(math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2))
    total = 0.0
    for k in range(least, -1, -1):
        total += term
        if term <= total * 1e-17:
            break
        term *= k / (n - k + 1)
    return min(1.0, 2 * total)


def paired_share_interval(both: int, gained: int, lost: int, neither: int) -> Interval | None:
    """Return the interval of a difference of two proportions of the same rows; None without rows.

    It is Newcombe's: Wilson's intervals of both proportions, squared and added, with their correlation (method 10 in
    Statistics in Medicine 17, 1998, 2635-2650).

    Args:
        both: Rows that are right both times.
        gained: Rows that are right the second time only.
        lost: Rows that are right the first time only.
        neither: Rows that are right neither time.
    """
    n = both + gained + lost + neither
    first, second = wilson_interval(both + lost, n), wilson_interval(both + gained, n)
    if first is None or second is None:
        return None
    before, after = (both + lost) / n, (both + gained) / n
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    product: float = both * neither - gained * lost
    if product > 0:
        product = max(product - n / 2, 0)  # Newcombe's correction for continuity
    correlation = product / math.sqrt(margins) if margins else 0.0

    def distance(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * correlation * a * b + b * b, 0.0))

    change = after - before
    return Interval(
        change - distance(after - second.low, first.high - before),
        change + distance(second.high - after, before - first.low),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which a share of sorted values lies, between two of them if need be; None without any.

    Args:
        ordered: Values, the smallest first.
        share: 0.5 for the median, 0.95 for the 95th percentile.
    """
    return _quantile(ordered, share) if ordered else None


def agreement(groups: Iterable[Sequence[Hashable]]) -> float | None:
    """Return the share of rows on which all repeats agree; None if no row has two.

    Args:
        groups: The answers of each row.
    """
    repeated = [group for group in groups if len(group) > 1]
    return sum(len(set(group)) == 1 for group in repeated) / len(repeated) if repeated else None


def fleiss_kappa(groups: Iterable[Sequence[Hashable]]) -> float | None:
    """Return how much more the repeats agree than by chance: 1 for always, 0 for no more than chance.

    Args:
        groups: The answers of each row. Rows with fewer answers than the fullest row are left out.

    Returns:
        None if no row has two answers, or if there is only one answer, so that chance agrees always.
    """
    tables = [Counter(group) for group in groups]
    m = max((table.total() for table in tables), default=0)
    full = [table for table in tables if table.total() == m]
    if m < 2:  # noqa: PLR2004 - agreement takes two
        return None
    observed = sum(sum(c * c for c in table.values()) - m for table in full) / (len(full) * m * (m - 1))
    shares: Counter[Hashable] = Counter()
    for table in full:
        shares.update(table)
    expected = sum((count / (len(full) * m)) ** 2 for count in shares.values())
    return (observed - expected) / (1 - expected) if len(shares) > 1 else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    at = (len(ordered) - 1) * share
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error."""
    n = len(values)
    mean = math.fsum(values) / n
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)


def _sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a mean difference if either sign of each difference is as likely."""
    moved = [difference for difference in differences if difference]
    n, total = len(moved), abs(math.fsum(moved))
    if not moved:
        return 1.0
    if n > MAX_RESAMPLED:
        spread = math.sqrt(math.fsum(difference * difference for difference in moved))
        return math.erfc(total / spread / math.sqrt(2))
    bound = total - 1e-9 * math.fsum(map(abs, moved))  # equal sums differ by rounding
    if n <= _MAX_ENUMERATED:
        return sum(abs(_flipped_sum(moved, signs)) >= bound for signs in range(1 << n)) / (1 << n)
    bits = random.Random(_SEED).getrandbits  # noqa: S311 - statistics, no secret
    beyond = sum(abs(_flipped_sum(moved, bits(n))) >= bound for _ in range(_RESAMPLES))
    return (beyond + 1) / (_RESAMPLES + 1)


def _flipped_sum(differences: Sequence[float], signs: int) -> float:
    """Return the sum with the sign of each difference flipped whose bit is set."""
    return math.fsum(-each if signs >> at & 1 else each for at, each in enumerate(differences))

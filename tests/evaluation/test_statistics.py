"""The figures of an evaluation against published values, and what holds for any numbers."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.evaluation.statistics import (
    MAX_RESAMPLED,
    agreement,
    compare_right,
    fleiss_kappa,
    format_p,
    mcnemar_p,
    mean_interval,
    paired_difference,
    paired_share_interval,
    percentile,
    wilson_interval,
)

numbers = st.floats(-1e6, 1e6, allow_nan=False)


# Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I, method 3
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_is_the_published_one(right, n, low, high):
    assert wilson_interval(right, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_of_nothing_is_none():
    assert wilson_interval(0, 0) is None


@given(st.integers(0, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share_and_mirrors(counts):
    right, n = counts
    interval = wilson_interval(right, n)
    if not n:
        assert interval is None
        return
    assert 0 <= interval.low <= right / n <= interval.high <= 1
    mirrored = wilson_interval(n - right, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx(interval, abs=1e-12)


# Newcombe, Improved confidence intervals for the difference between binomial proportions based on paired data, the same
# volume, method 10; and the airway data of Bentur et al. as Fagerland, Lydersen and Laake (2014) compute it
@pytest.mark.parametrize(
    ("cells", "bounds"),
    [((36, 2, 12, 0), (-0.3404, -0.0569)), ((1, 1, 7, 12), (-0.507, -0.026))],
)
def test_paired_share_interval_is_the_published_one(cells, bounds):
    assert paired_share_interval(*cells) == pytest.approx(bounds, abs=5e-4)


@given(*[st.integers(0, 300)] * 4)
def test_paired_share_interval_holds_the_difference(both, gained, lost, neither):
    n = both + gained + lost + neither
    interval = paired_share_interval(both, gained, lost, neither)
    if n:
        assert -1 - 1e-9 <= interval.low <= (gained - lost) / n + 1e-9
        assert (gained - lost) / n - 1e-9 <= interval.high <= 1 + 1e-9
    else:
        assert interval is None


# 1 and 7: the airway data; 59 and 121: Agresti's example of two surveys has the exact value below 0.0001
@pytest.mark.parametrize(("gained", "lost", "p"), [(1, 7, 0.0703125), (0, 5, 0.0625), (3, 3, 1.0), (0, 0, 1.0)])
def test_mcnemar_is_the_published_value(gained, lost, p):
    assert mcnemar_p(gained, lost) == pytest.approx(p)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_twice_the_binomial_tail(gained, lost):
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1))
    assert mcnemar_p(gained, lost) == pytest.approx(min(1.0, 2 * tail / 2**n), rel=1e-9)


def test_mcnemar_of_many_rows_is_that_of_the_normal_distribution():
    gained, lost = 100_000, 101_000
    z = (abs(gained - lost) - 1) / math.sqrt(gained + lost)
    assert mcnemar_p(gained, lost) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)


def test_gained_rows_are_a_higher_accuracy():
    change = compare_right([True] * 10 + [False] * 10, [True] * 20)
    assert change.value == 0.5
    assert change.p == pytest.approx(2 / 2**10)
    assert change.interval.low > 0
    assert change.verdict == "higher (p = 0.002)"


def test_difference_within_noise_is_called_so():
    change = compare_right([True, False, True, False], [True, True, True, False])
    assert change.is_chance
    assert change.verdict == "no difference beyond chance (p = 1.00)"
    assert compare_right([], []).verdict == "nothing to compare"


# Efron and Tibshirani, An Introduction to the Bootstrap (1993), the treated mice of table 2.1: the mean is 86.86 and
# its standard error 23.36 by the plug-in principle
def test_bootstrap_interval_of_the_treated_mice():
    mice = [94, 197, 16, 38, 99, 141, 23]
    low, high = mean_interval(mice)
    assert (low + high) / 2 == pytest.approx(86.86, abs=5)
    assert (high - low) / (2 * 1.96) == pytest.approx(23.36, rel=0.07)


def test_interval_of_a_mean_is_the_same_in_every_run():
    values = [random.Random(7).gauss(0, 1) for _ in range(40)]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval([1.0]) is None
    assert mean_interval([3.0] * 5) == (3.0, 3.0)


def test_normal_and_resampled_intervals_meet_at_the_limit():
    draw = random.Random(3)
    values = [draw.random() for _ in range(MAX_RESAMPLED)]
    resampled, normal = mean_interval(values), mean_interval([*values, statistics.fmean(values)])
    assert normal == pytest.approx(resampled, abs=0.004)


@given(st.lists(numbers, min_size=2, max_size=60))
def test_interval_of_a_mean_lies_within_the_values(values):
    low, high = mean_interval(values)
    room = 1e-9 * max(map(abs, values))
    assert min(values) - room <= low <= high <= max(values) + room


# Fisher, The Design of Experiments (1935), chapter III: Darwin's fifteen pairs of maize; the exact value is 863 of the
# 16,384 arrangements on either side, 1726 of 32,768 in all
def test_sign_flips_of_darwins_maize_give_fishers_value():
    crossed = [188, 96, 168, 176, 153, 172, 177, 163, 146, 173, 186, 168, 177, 184, 96]
    selfed = [139, 163, 160, 160, 147, 149, 149, 122, 132, 144, 130, 144, 102, 124, 144]
    change = paired_difference(selfed, crossed)
    assert change.value == pytest.approx(20.93, abs=0.01)
    assert change.p == pytest.approx(1726 / 32768, abs=0.015)
    assert change.is_chance


@given(st.lists(st.integers(-5, 5), max_size=8))
def test_sign_flips_of_few_rows_are_exact(differences):
    moved = [each for each in differences if each]
    flips = list(itertools.product((1, -1), repeat=len(moved)))
    sums = [abs(sum(sign * each for sign, each in zip(flip, moved, strict=True))) for flip in flips]
    expected = sum(each >= abs(sum(moved)) for each in sums) / len(sums)
    assert paired_difference([0] * len(differences), differences).p == pytest.approx(expected)


def test_few_rows_cannot_show_a_difference():
    assert paired_difference([0, 0, 0], [1, 1, 1]).p == 0.25
    assert paired_difference([1.5] * 4, [1.5] * 4).p == 1.0


def test_difference_of_many_rows_is_found():
    draw = random.Random(5)
    first = [draw.random() for _ in range(100_000)]
    change = paired_difference(first, [value + draw.gauss(0.01, 0.2) for value in first])
    assert change.interval.low < 0.01 < change.interval.high
    assert change.p < 1e-9
    assert change.verdict == "higher (p < 0.001)"


@given(st.lists(numbers, min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_percentile_is_that_of_the_standard_library(values, share):
    ordered = sorted(values)
    found = percentile(ordered, share)
    if len(values) > 1:
        cuts = statistics.quantiles(ordered, n=100, method="inclusive")
        assert found == pytest.approx(cuts[round(share * 100) - 1], abs=1e-6)
    else:
        assert found == values[0]


def test_percentile_of_nothing_is_none():
    assert percentile([], 0.5) is None


# Fleiss, Measuring nominal scale agreement among many raters, as worked out in the article on Fleiss' kappa in Wikipedia
def test_fleiss_kappa_is_the_published_one():
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    groups = [[label for label, count in enumerate(row) for _ in range(count)] for row in counts]
    assert fleiss_kappa(groups) == pytest.approx(0.210, abs=5e-4)
    assert agreement(groups) == 0.1


def test_agreement_needs_two_answers():
    assert agreement([["a"], []]) is None
    assert fleiss_kappa([["a"], ["b"]]) is None
    assert fleiss_kappa([["a", "a"], ["a", "a"]]) is None
    assert agreement([["a", "a"], ["a", "b"], ["c"]]) == 0.5


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=3, max_size=3), min_size=1, max_size=20))
def test_fleiss_kappa_is_at_most_one(groups):
    kappa = fleiss_kappa(groups)
    assert kappa is None or kappa <= 1 + 1e-9
    if agreement(groups) == 1:
        assert kappa is None or kappa == pytest.approx(1)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0001, "p < 0.001"), (0.0204, "p = 0.020"), (0.0496, "p = 0.050"), (0.34, "p = 0.34"), (1.0, "p = 1.00")],
)
def test_p_value_has_the_digits_that_matter(p, text):
    assert format_p(p) == text

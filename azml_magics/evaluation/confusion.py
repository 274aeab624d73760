"""The confusion table: how often each label was given where another one was expected."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .answers import normalize
from .confusion_section import ConfusionTable
from .figures import values_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .outcomes import Outcomes
    from .settings import Setting

MAX_LABELS = 20


def count_labels(outcomes: Outcomes, setting: Setting, score: str) -> ConfusionTable | None:
    """Return the confusion table of a score; None if more than 20 labels are expected, or none.

    Labels that differ only in form are one: the spelling that is expected first, else the most frequent one.

    Args:
        outcomes: The outcomes.
        setting: The setting.
        score: The name of the score.
    """
    columns = outcomes.columns
    if score not in columns.expected:
        return None
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    labels = (values_of(columns, each[score], setting.index) for each in (columns.expected, columns.answer))
    values = values_of(columns, columns.scores[score], setting.index)
    for expected, answers, known in zip(*labels, values, strict=True):
        pairs.update(
            (wanted, answer)
            for wanted, answer, value in zip(expected, answers, known, strict=True)
            if value in {0.0, 1.0}
        )
    return _arrange(pairs, setting, score)


def _arrange(pairs: Counter[tuple[str | None, str | None]], setting: Setting, score: str) -> ConfusionTable | None:
    spelling: dict[str, str] = {}
    for label in sorted(dict.fromkeys(wanted for wanted, _ in pairs if wanted is not None)):
        spelling.setdefault(normalize(label), label)
    expected = list(spelling.values())
    if not 0 < len(expected) <= MAX_LABELS:
        return None
    folded: Counter[tuple[str, str]] = Counter()
    left_out = 0
    for (wanted, answer), count in pairs.most_common():
        if wanted is None or answer is None:
            left_out += count
            continue
        spelled = spelling.setdefault(normalize(answer), answer)
        folded[spelling[normalize(wanted)], spelled] += count
    answers = [*expected, *_others(folded, expected)][:MAX_LABELS]
    left_out += sum(count for (_, answer), count in folded.items() if answer not in answers)
    counts = [[folded[wanted, answer] for answer in answers] for wanted in expected]
    return ConfusionTable(setting, score, expected, answers, counts, left_out)


def _others(folded: Counter[tuple[str, str]], expected: Iterable[str]) -> list[str]:
    """Return the answers that are not expected anywhere, the most frequent first."""
    totals: Counter[str] = Counter()
    for (_, answer), count in folded.items():
        totals[answer] += count
    known = set(expected)
    return [answer for answer, _ in totals.most_common() if answer not in known]

"""What is wrong or failed, grouped by cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..core.text import one_line
from ..rows.table_rows import NOT_SENT
from .answers import as_text
from .matches import describe_error
from .outcome import RIGHT
from .summary import FailureGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .outcome import Outcome
    from .outcomes import Outcomes

_WITH_DIGIT = re.compile(r"[\w.,:/-]*\d[\w.,:/-]*\w|\d")  # numbers and ids, by which equal causes differ
_MAX_CAUSE = 200  # characters
_MAX_ANSWER = 60


def group_failures(outcomes: Outcomes, examples: int) -> list[FailureGroup]:
    """Return the outcomes that are wrong, could not be scored or failed, grouped by cause, the most frequent first.

    Args:
        outcomes: The outcomes.
        examples: How many to keep of each group.
    """
    groups: dict[tuple[str, str], tuple[list[Outcome], int]] = {}
    causes: dict[tuple[str, str], str] = {}
    for outcome in _select(outcomes):
        for kind, cause in causes_of(outcome):
            key = kind, _WITH_DIGIT.sub("…", cause) if kind != "wrong" else cause
            kept, count = groups.get(key, ([], 0))
            if count < examples:
                kept.append(outcome)
            groups[key] = kept, count + 1
            causes[key] = cause if causes.get(key, cause) == cause else key[1]
    found = [FailureGroup(causes[key], key[0], count, kept) for key, (kept, count) in groups.items()]
    return sorted(found, key=lambda group: -group.count)  # equal ones in the rows' order


def failed_positions(outcomes: Outcomes) -> Iterator[int]:
    """Yield the places of the outcomes that are wrong, could not be scored or failed."""
    columns = outcomes.columns
    right = columns.scores.get(RIGHT)
    for position, error in enumerate(columns.error):
        if error == NOT_SENT:
            continue
        is_wrong = right is not None and right[position] == 0
        if error or is_wrong or any(flags[position] for flags in columns.score_failed.values()):
            yield position


def _select(outcomes: Outcomes) -> Iterable[Outcome]:
    return (outcomes[position] for position in failed_positions(outcomes))


def causes_of(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield the kinds and causes of an outcome: usually one, more if several scorers failed."""
    if outcome.error is not None:
        yield (
            "error",
            one_line(describe_error(outcome.error).replace(f"Row {outcome.row_label!r}", "Row …"), _MAX_CAUSE),
        )
        return
    for score in outcome.scores.values():
        if score.error:
            yield "score", one_line(f"{score.name}: {score.error}", _MAX_CAUSE)
    if outcome.is_right is False:
        yield "wrong", _describe_wrong(outcome)


def _describe_wrong(outcome: Outcome) -> str:
    """Return "expected 'cross', got 'glad'"; for several fields those that are wrong."""
    wrong = [score for score in outcome.scores.values() if score.value is False and score.expected is not None]
    parts = [
        (f"{score.name}: " if score.name != RIGHT else "") + f"expected {score.expected!r}, got {_shown(score.answer)}"
        for score in wrong
    ]
    if parts:
        return one_line("; ".join(parts), _MAX_CAUSE)
    expected = ", ".join(as_text(value) for value in outcome.expected.values())
    return f"expected {one_line(expected, _MAX_ANSWER)!r}, got another text"


def _shown(answer: str | None) -> str:
    return "a longer text" if answer is None else repr(answer) if answer else "nothing"

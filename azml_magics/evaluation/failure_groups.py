"""What is wrong or failed, grouped by cause."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.text import one_line
from ..rows.table_rows import NOT_SENT
from .answers import as_text
from .matches import describe_error
from .outcome import RIGHT
from .summary import FailureGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .outcome import Outcome
    from .outcomes import Outcomes

_WITH_DIGIT = re.compile(r"[\w.,:/-]*\d[\w.,:/-]*\w|\d")  # numbers and ids, by which equal causes differ
_MAX_CAUSE = 200  # characters
_MAX_ANSWER = 60
_MAX_GROUPS = 50  # of a kind
_OTHERS = {"wrong": "wrong in other ways", "score": "other scores failed", "error": "other errors"}
_MAX_EXAMPLES = 20  # of a group


@dataclass
class _Group:
    """Outcomes with one cause: how many, and the places of the first, each of another row as long as there are some."""

    cause: str
    kind: str
    count: int = 0
    places: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    last_row: int = -1

    def add(self, cause: str, general: str, place: int, row: int) -> None:
        self.cause = cause if self.cause == cause else general
        self.count += 1
        places = self.repeated if row == self.last_row else self.places
        self.last_row = row
        if len(places) < _MAX_EXAMPLES:
            places.append(place)

    def examples(self, count: int) -> list[int]:
        """The places of the first outcomes."""
        return sorted([*self.places, *self.repeated][:count])


def group_failures(outcomes: Outcomes, examples: int) -> list[FailureGroup]:
    """Return the outcomes that are wrong, could not be scored or failed, grouped by cause, the most frequent first.

    Beyond fifty causes of a kind the others are one group.

    Args:
        outcomes: The outcomes.
        examples: How many to return of each group, at most twenty.
    """
    groups: dict[tuple[str, str], _Group] = {}
    for place in failed_positions(outcomes):
        for kind, cause in _causes_at(outcomes, place):
            general = cause if kind == "wrong" else _WITH_DIGIT.sub("…", cause)
            groups.setdefault((kind, general), _Group(cause, kind)).add(cause, general, place, place // outcomes.width)
    found = _merge_rare(sorted(groups.values(), key=lambda group: -group.count))  # equal ones in the rows' order
    return [
        FailureGroup(group.cause, group.kind, group.count, [outcomes[place] for place in group.examples(examples)])
        for group in found
    ]


def _merge_rare(groups: Sequence[_Group]) -> list[_Group]:
    """Return the most frequent causes of each kind, and at the end one group for the others of a kind."""
    kept: list[_Group] = []
    rest: dict[str, _Group] = {}
    ranks: Counter[str] = Counter()
    for group in groups:
        ranks[group.kind] += 1
        if ranks[group.kind] <= _MAX_GROUPS:
            kept.append(group)
            continue
        others = rest.setdefault(group.kind, _Group(_OTHERS[group.kind], group.kind))
        others.count += group.count
        others.places += group.examples(_MAX_EXAMPLES - len(others.places))
    return [*kept, *rest.values()]


def _causes_at(outcomes: Outcomes, place: int) -> Iterable[tuple[str, str]]:
    """Return the kinds and causes of an outcome; of one that is only wrong from its labels, without loading it."""
    columns = outcomes.columns
    expected = columns.expected[RIGHT][place] if RIGHT in columns.expected else None
    is_simple = not columns.error[place] and not any(flags[place] for flags in columns.score_failed.values())
    if expected is None or not is_simple:
        return causes_of(outcomes[place])
    return [("wrong", one_line(_describe_labels(expected, columns.answer[RIGHT][place]), _MAX_CAUSE))]


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
        (f"{score.name}: " if score.name != RIGHT else "") + _describe_labels(score.expected or "", score.answer)
        for score in wrong
    ]
    if parts:
        return one_line("; ".join(parts), _MAX_CAUSE)
    expected = ", ".join(as_text(value) for value in outcome.expected.values())
    return f"expected {one_line(expected, _MAX_ANSWER)!r}, got another text"


def _describe_labels(expected: str, answer: str | None) -> str:
    shown = "a longer text" if answer is None else repr(answer) if answer else "nothing"
    return f"expected {expected!r}, got {shown}"

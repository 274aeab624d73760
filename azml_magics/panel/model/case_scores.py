"""Which answers to test cases are what a column of the table expects, and which changed since the run before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azml_magics.evaluation.expectations import Expectations
from azml_magics.evaluation.matches import match_named, match_scorer
from azml_magics.evaluation.outcome import RIGHT, Outcome, Score
from azml_magics.evaluation.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.rows.table_rows import TableRow

    from .case_run import CaseRun

_MAX_NUMBERS = 10  # of cases in a line

Case = tuple[str, ...]


class CaseScores(NamedTuple):
    """How the cases of a run were answered.

    Attributes:
        scores: the score of each case that has an answer and expects one, by its position.
        changes: the cases that were answered rightly before and are not now, and the other way round; in a line each.
    """

    scores: Mapping[int, Score]
    changes: list[str]

    @property
    def summary(self) -> str:
        """How many answers are right, in a line; "" if nothing was expected."""
        known = [score for score in self.scores.values() if score.value is not None]
        if not known:
            return ""
        right = sum(bool(score.value) for score in known)
        return f"{right} of {len(known)} as expected ({right / len(known):.0%})"

    @property
    def errors(self) -> list[str]:
        """What could not be compared, such as an expectation that is not a number; each once."""
        return list(dict.fromkeys(score.error for score in self.scores.values() if score.error))


NO_SCORES = CaseScores({}, [])


def score_cases(run: CaseRun, expect: str, match: str, before: Mapping[Case, bool]) -> CaseScores:
    """Compare the answers of a run with what their cases expect.

    Args:
        run: the run.
        expect: the column, or FIELD=COLUMN for a field of the schema; "" for nothing.
        match: the name of a match, such as "normalized".
        before: the values of a case -> whether it was answered rightly in the run before.

    Raises:
        UsageError: if there is no such column, field or match.
    """
    if not expect.strip():
        return NO_SCORES
    expectations = Expectations.from_argument(expect)
    expectations.check(run.table.columns, run.schema_fields or None)
    scorer = match_scorer(match, expectations)
    cases = run.table.to_dicts()
    scores: dict[int, Score] = {}
    for position, row in run.rows.items():
        if row.error is None and row.response is not None:
            outcome = _outcome(row, cases[position], expectations)
            found = {score.name: score for score in scorer.score(outcome)}
            scores |= {position: found[RIGHT]} if RIGHT in found else {}
    return CaseScores(scores, [] if run.is_running else _changes(run, scores, before))


def check_expectation(expect: str, match: str, columns: tuple[str, ...], fields: tuple[str, ...] | None) -> None:
    """Check what is expected before anything is sent.

    Raises:
        UsageError: if there is no such column, field or match.
    """
    if expect.strip():
        Expectations.from_argument(expect).check(columns, fields)
        match_named(match)


def expected_columns(expect: str) -> list[str]:
    """Return the columns that the text of an expectation names."""
    return list(Expectations.from_argument(expect).columns.values()) if expect.strip() else []


def rights_of(run: CaseRun, scores: CaseScores) -> dict[Case, bool]:
    """Return the values of each case -> whether it was answered rightly, to compare the next run with."""
    known = {position: score.value for position, score in scores.scores.items() if score.value is not None}
    return {run.table.rows[position]: bool(value) for position, value in known.items()}


def _outcome(row: TableRow, values: Mapping[str, str], expectations: Expectations) -> Outcome:
    setting = Setting(0, row.config, {})
    return Outcome(setting, row.config, row.response, row=values, expected=expectations.of(values))


def _changes(run: CaseRun, scores: Mapping[int, Score], before: Mapping[Case, bool]) -> list[str]:
    worse: list[int] = []
    better: list[int] = []
    for position, score in sorted(scores.items()):
        was_right = before.get(run.table.rows[position])
        if was_right is not None and score.value is not None and was_right is not bool(score.value):
            (worse if was_right else better).append(position + 1)
    lines = [("no longer as expected", worse), ("now as expected", better)]
    return [f"{_numbers(cases)} {what}, unlike in the run before." for what, cases in lines if cases]


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MAX_NUMBERS]))
    more = f" and {len(numbers) - _MAX_NUMBERS} more" if len(numbers) > _MAX_NUMBERS else ""
    return f"Case {shown}" if len(numbers) == 1 else f"Cases {shown}{more}"

"""Compares a response with what its row expects.

All but `exact` ignore how a text is stored: Unicode's canonical composition (NFC) makes "é" of "e" and an accent.
Nothing else is folded, so that "x²" and "x2" stay two answers.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.text import did_you_mean, one_line
from .answers import (
    as_number,
    as_text,
    from_json,
    is_number,
    last_number,
    normalize,
    normalize_data,
    to_plain,
)
from .outcome import RIGHT, Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .expectations import Expectations
    from .outcome import Outcome

Match = Callable[[Any, Any], bool]
"""Whether an answer (a text, or the value of a schema's field) is what is expected."""

_PRECISION = 1e-9  # relative: 0.1 + 0.2 is 0.3
_LETTER = "[A-Za-z0-9\u00c0-\u052f]"  # Latin, Greek and Cyrillic: beside a Japanese character a word may begin
_MAX_LABEL = 60  # characters


def match_named(match: str | Match) -> Match:
    """Return the function of a match.

    Args:
        match: "normalized", "exact", "contains", "number" or "regex"; or a function of an answer and an expectation.

    Raises:
        UsageError: There is no match of that name.
    """
    if callable(match):
        return match
    if match not in MATCHES:
        known = ", ".join(MATCHES)
        raise UsageError(
            f"There is no match {one_line(str(match), 60)!r}.{did_you_mean(str(match), MATCHES)}",
            remedy=f"The matches are {known}, or a function of an answer and an expectation.",
        )
    return MATCHES[match]


# ---- the matches


def is_normalized_match(answer: Any, expected: Any) -> bool:
    """Return whether both are the same apart from case, blanks and final punctuation.

    Numbers are compared as numbers, so that "1", 1 and 1.0 are the same unless both are texts; so are True and "true".
    Lists and objects are compared part by part, also with an expectation in JSON.
    """
    answer, expected = to_plain(answer), to_plain(expected)
    if isinstance(expected, str) and expected.lstrip()[:1] in {"{", "["}:
        expected = from_json(expected)
    if isinstance(answer, (list, dict)) or isinstance(expected, (list, dict)):
        answer, expected = from_json(answer), from_json(expected)
        return bool(normalize_data(answer) == normalize_data(expected))
    if is_number(answer) or is_number(expected):
        first, second = as_number(answer), as_number(expected)
        if first is not None and second is not None:
            return _is_close(first, second)
    return normalize(answer) == normalize(expected)


def is_exact_match(answer: Any, expected: Any) -> bool:
    """Return whether both are the same text, character by character."""
    return as_text(answer) == as_text(expected)


def contains_match(answer: Any, expected: Any) -> bool:
    """Return whether the answer contains the expectation as whole words, apart from case and blanks.

    "1" is not in "10" and "man" not in "woman"; in scripts that write words without blanks any place counts.
    """
    found = _words_pattern(normalize(expected)).search(normalize(answer))
    return found is not None


def is_number_match(answer: Any, expected: Any) -> bool:
    """Return whether the last number of the answer is the expected one.

    "1,234.5" is read with a comma between thousands, "42 %" as 42.

    Raises:
        ValueError: The expectation is not a number.
    """
    wanted = as_number(expected)
    if wanted is None:
        raise ValueError(f"the expectation {one_line(as_text(expected), 60)!r} is not a number")
    answer = to_plain(answer)
    found = answer if is_number(answer) else last_number(as_text(answer))
    return found is not None and _is_close(found, wanted)


def is_regex_match(answer: Any, expected: Any) -> bool:
    """Return whether the regular expression of the expectation is found in the answer, as `re.search` does.

    Raises:
        ValueError: The expectation is not a regular expression.
    """
    try:
        pattern = _compiled(as_text(expected))
    except (re.error, OverflowError, RecursionError) as error:
        shown = one_line(as_text(expected), 60)
        raise ValueError(f"the expectation {shown!r} is not a regular expression: {error}") from None
    return pattern.search(unicodedata.normalize("NFC", as_text(answer))) is not None


MATCHES: Mapping[str, Match] = {
    "normalized": is_normalized_match,
    "exact": is_exact_match,
    "contains": contains_match,
    "number": is_number_match,
    "regex": is_regex_match,
}


# ---- the scorer


def match_scorer(match: str | Match, expectations: Expectations) -> MatchScorer:
    """Return the scorer that compares responses with what their rows expect.

    Args:
        match: The name of a match, or a function of an answer and an expectation.
        expectations: The columns of the expectations.

    Raises:
        UsageError: There is no match of that name.
    """
    return MatchScorer(match_named(match), expectations)


class MatchScorer:
    """Says whether a response is what its row expects, as the score "right".

    With several fields "right" means that all are, and each field has a score of its own.

    Attributes:
        name: The name of its score.
        is_quick: It takes no longer than the engine itself.
    """

    name = RIGHT
    is_quick = True

    def __init__(self, match: Match, expectations: Expectations) -> None:
        self._match = match
        self._has_fields = len(expectations.columns) > 1

    def score(self, outcome: Outcome) -> Sequence[Score]:
        """Return whether the response is right; [] for a row that expects nothing."""
        scores = [self._compare(field, wanted, outcome) for field, wanted in outcome.expected.items()]
        if not self._has_fields:
            return scores
        errors = "; ".join(f"{score.name}: {score.error}" for score in scores if score.error)
        wrong = ", ".join(score.name for score in scores if score.value is False)
        value = None if errors or not scores else not wrong
        whole = [Score(RIGHT, value, f"wrong: {wrong}" if wrong else "", errors)] if scores else []
        return [*whole, *scores]

    def _compare(self, field: str, wanted: Any, outcome: Outcome) -> Score:
        name = (field or "text") if self._has_fields else RIGHT
        name = f"{name} (field)" if self._has_fields and name == RIGHT else name
        answer = answer_of(outcome, field)
        try:
            is_right = bool(self._match(answer, wanted))
        except Exception as error:  # noqa: BLE001 - the user's function, or an expectation that is no number
            return Score(name, None, error=describe_error(error))
        expected = label_of(wanted)
        return Score(name, is_right, answer=expected if is_right else label_of(answer), expected=expected)


def answer_of(outcome: Outcome, field: str) -> Any:
    """Return the text of a response, or the value of a field of its object."""
    if outcome.response is None or not field:
        return outcome.text
    parsed = outcome.response.parsed
    return parsed.get(field) if isinstance(parsed, Mapping) else getattr(parsed, field, None)


def hash_answer(outcome: Outcome) -> int:
    """Return the same number for responses whose answers are the same apart from case, blanks and final punctuation.

    Of a response that is an object, the fields count that the row expects, or all of them if it expects none.
    """
    fields = [field for field in outcome.expected if field]
    parsed = outcome.response.parsed if outcome.response else None
    if fields:
        return hash(_json_text([answer_of(outcome, field) for field in fields]))
    return hash(normalize(outcome.text) if parsed is None else _json_text(parsed))


def _json_text(value: Any) -> str:
    return json.dumps(normalize_data(value), sort_keys=True, default=str)


def label_of(value: Any) -> str | None:
    """Return an answer or an expectation as a label on one line; None for a text that is too long to be one."""
    text = as_text(value).strip()
    return one_line(text) if len(text) <= _MAX_LABEL else None


def describe_error(error: BaseException) -> str:
    """Return an error of a match, a scorer or a judge on one line."""
    text = one_line(str(getattr(error, "cause", error)), 300)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a later Python may read in another way
        return re.compile(unicodedata.normalize("NFC", pattern))


@lru_cache(maxsize=1024)
def _words_pattern(words: str) -> re.Pattern[str]:
    before = f"(?<!{_LETTER})" if words and _has_word_ends(words[0]) else ""
    after = f"(?!{_LETTER})" if words and _has_word_ends(words[-1]) else ""
    return re.compile(before + re.escape(words) + after)


def _has_word_ends(character: str) -> bool:
    """Return whether a character is of a script that writes blanks between words: one with cases, or a digit."""
    return character.isdigit() or character.lower() != character.upper()


def _is_close(first: float, second: float) -> bool:
    return first == second or math.isclose(first, second, rel_tol=_PRECISION)

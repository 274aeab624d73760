"""What a scorer returns, as scores: a bool, a number, a dict of several, or an object of another package."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..core.text import one_line
from .answers import to_plain
from .outcome import Score

_MAX_REASON = 600  # characters
_WORDS = {"yes": True, "no": False, "pass": True, "fail": False}  # of judges in MLflow and azure-ai-evaluation


def read_scores(name: str, value: Any) -> list[Score]:
    """Return the scores in what a scorer returned.

    Args:
        name: The scorer's name.
        value: What it returned: a bool, a number, None for no score; a dict of scores; an object with `score` or
            `value`; or a list of such objects.

    Raises:
        TypeError: It is none of these.
        ValueError: It is infinite.
    """
    if isinstance(value, Mapping):
        return _read_mapping(name, value)
    if isinstance(value, (list, tuple)):
        return [score for each in value for score in read_scores(_own_name(each, name), each)]
    if hasattr(value, "score") and hasattr(value, "metadata"):  # autoevals
        details = value.metadata if isinstance(value.metadata, Mapping) else {}
        return [_score(name, value.score, details.get("rationale"), getattr(value, "error", None))]
    if hasattr(value, "value") and hasattr(value, "rationale"):  # MLflow
        given = getattr(value.value, "value", value.value)
        return [_score(name, _WORDS.get(given, given) if isinstance(given, str) else given, value.rationale)]
    return [_score(name, value)]


def _read_mapping(name: str, value: Mapping[Any, Any]) -> list[Score]:
    """Return the scores of a dict: `{"score": 1, "reason": "…"}` is one; otherwise every number is one by its name.

    `KEY_reason` is the reason of KEY, and another name that continues KEY is a detail of it, such as its threshold.
    """
    data = {str(key): part for key, part in value.items()}
    if "score" in data:
        return [_score(name, data["score"], data.get("reason"), data.get("error"))]
    scores = [
        _score(key, part, data.get(f"{key}_reason"))
        for key, part in data.items()
        if not isinstance(part, (str, Mapping, list)) and not any(key.startswith(f"{other}_") for other in data)
    ]
    if not scores and data:
        raise TypeError(f"it returned {one_line(repr(data), 60)}: none of its values is a score")
    return scores or [Score(name, None)]


def _score(name: str, value: Any, reason: Any = None, error: Any = None) -> Score:
    number = None if value is None else _number(value)
    text = one_line(str(reason), _MAX_REASON) if reason else ""
    return Score(one_line(name, 60), number, text, one_line(str(error)) if error else "")


def _number(value: Any) -> bool | float | None:
    """Return a score as a bool or a float; None for NaN."""
    plain = value.item() if callable(getattr(value, "item", None)) else to_plain(value)  # a scalar of numpy or torch
    if isinstance(plain, bool):
        return plain
    if isinstance(plain, (str, bytes)) or not hasattr(plain, "__float__"):
        shown = one_line(repr(value), 60)
        raise TypeError(f"it returned {shown}: return True, False, a number, None, or a dict of them")
    number = float(plain)
    if math.isinf(number):
        raise ValueError("it returned an infinite number")
    return None if math.isnan(number) else number


def _own_name(value: Any, name: str) -> str:
    own = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", None)
    return own if isinstance(own, str) and own else name

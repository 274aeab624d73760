"""Verdicts of judges: their JSON schemas, and what a response of a judge says.

They are checked here and not by jsonschema, which may be missing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.prompt.schema import Schema
from ..core.text import one_line

if TYPE_CHECKING:
    from ..core.response import Response

VALUES = {"A": 1.0, "B": 0.0, "tie": 0.5}
"""What a winner is worth to the first response."""
_MAX_REASON = 600  # characters


class _ScoreVerdict:
    """What a verdict with a score must be."""

    @staticmethod
    def model_validate_json(text: str) -> dict[str, Any]:
        """Return the verdict. Raises ValueError for JSON that is none."""
        verdict = _object_of(text)
        as_score(verdict.get("score"))
        return verdict


class _WinnerVerdict:
    """What a verdict about two responses must be."""

    @staticmethod
    def model_validate_json(text: str) -> dict[str, Any]:
        """Return the verdict. Raises ValueError for JSON that is none."""
        verdict = _object_of(text)
        if verdict.get("winner") not in VALUES:
            raise ValueError(f"the winner is {one_line(repr(verdict.get('winner')), 40)}, not A, B or tie")
        return verdict


def _object_of(text: str) -> dict[str, Any]:
    verdict = json.loads(text)
    if not isinstance(verdict, dict):
        raise TypeError("it is not an object")
    return verdict


def _schema(model: type, **fields: Any) -> Schema:
    properties = {"reason": {"type": "string", "description": "Why, in one or two sentences."}, **fields}
    closed = {"required": list(properties), "additionalProperties": False}
    return Schema("verdict", {"type": "object", "properties": properties, **closed}, model)


SCORE_SCHEMA = _schema(_ScoreVerdict, score={"type": "number"})
WINNER_SCHEMA = _schema(_WinnerVerdict, winner={"type": "string", "enum": list(VALUES)})


def verdict_of(response: Response | Exception) -> Mapping[str, Any]:
    """Return the verdict in a response of a judge.

    Raises:
        Exception: There is no response, or no verdict in it.
    """
    if isinstance(response, Exception):
        raise response
    if not isinstance(response.parsed, Mapping):
        raise TypeError(f"the judge gave no verdict: {one_line(response.text, 100)!r}")
    return response.parsed


def as_score(value: Any) -> float:
    """Return the score of a verdict. Raises ValueError for what is not a number."""
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"the judge's score is {one_line(repr(value), 40)}, not a number")
    return number


def reason_of(verdict: Mapping[str, Any]) -> str:
    """Return the reason of a verdict on one line."""
    return one_line(str(verdict.get("reason") or ""), _MAX_REASON)

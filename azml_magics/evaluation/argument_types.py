"""The types of the arguments of evaluate and aevaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.pricing import PriceSource
from ..rows.argument_types import CommonOptions
from .progress import EvaluationProgress

if TYPE_CHECKING:
    from .evaluation import Evaluation

Expect = str | Mapping[str, str] | Sequence[str] | None
"""A column, "FIELD=COLUMN", several of them, or the columns by field."""

MatchSource = str | Callable[[Any, Any], bool]
"""The name of a match, or a function of an answer and an expectation."""


class EvaluateOptions(CommonOptions, total=False):
    """The options that both functions take: those of map_rows and their own."""

    expect: Expect
    match: MatchSource
    score: Any
    judge: Any
    rubric: str | Path
    pairwise: bool | None
    sweep: Mapping[str, Sequence[Any]] | None
    n: int
    price: PriceSource | Mapping[str, PriceSource]
    baseline: Evaluation | str | Path | None
    require: str | Sequence[str]
    progress: bool | Callable[[EvaluationProgress], Any]

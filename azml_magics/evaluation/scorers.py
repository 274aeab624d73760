"""Scorers: any function that measures a response, also those of autoevals, deepeval, azure-ai-evaluation and MLflow.

None of these packages is imported: their objects are known by how they are called.
"""

from __future__ import annotations

import inspect
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.text import one_line
from .metric_objects import measure_with
from .outcome import RIGHT
from .score_values import read_scores
from .scorer_arguments import arguments_of, bind_arguments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from .outcome import Outcome, Score
    from .scoring import Scorer

_RESERVED = (RIGHT,)
_MAX_NAME = 60  # characters
_ARGUMENTS = "A scorer is called with (row, response), or with output, expected and input by name."


def as_scorers(functions: Any, taken: Iterable[str] = _RESERVED) -> list[Scorer]:
    """Return a scorer for each function.

    Args:
        functions: A function, or several of them.
        taken: Names that the scorers must not have.

    Raises:
        UsageError: One of them cannot be called for a row, or two have the same name.
    """
    if functions is None:
        return []
    several = functions if isinstance(functions, (list, tuple)) else [functions]
    owners = dict.fromkeys(taken, "the comparison with what is expected")
    scorers = []
    for function in several:
        scorer = as_scorer(function, owners)
        if scorer.name in owners:
            other = owners[scorer.name]
            also = f"{other} has that name" if other != scorer.name else "two scorers have that name"
            raise UsageError(
                f"A scorer cannot be named {scorer.name!r}: {also}",
                remedy="Each score is a column: rename one of the functions.",
            )
        owners[scorer.name] = scorer.name
        scorers.append(scorer)
    return scorers


def as_scorer(function: Any, owners: dict[str, str] | None = None) -> Scorer:
    """Return the scorer of a function. Its name is the name of the score.

    Args:
        function: A function `fn(row, response)` or `fn(output, expected, input=...)`, sync or async, which returns a
            bool, a number, None for no score, a dict of several scores, or an object with a `score`; a scorer of
            autoevals; a metric of deepeval; an evaluator of azure-ai-evaluation; a scorer of MLflow.
        owners: Which scorer has which name of a score; shared by the scorers of a run.

    Raises:
        UsageError: It cannot be called for a row.
    """
    if callable(getattr(function, "score", None)) and isinstance(getattr(function, "name", None), str):
        scorer: Scorer = function  # one of ours
        return scorer
    if isinstance(function, type):
        function = _make_object(function)
    name = name_of(function)
    if callable(getattr(function, "measure", None)):
        return FunctionScorer(name, partial(measure_with, function), owners)
    if not callable(function):
        raise UsageError(
            f"A scorer is a function of a row and its response, not {one_line(repr(function), 60)}", remedy=_ARGUMENTS
        )
    return FunctionScorer(name, bind_arguments(function, name), owners)


def name_of(function: Any) -> str:
    """Return the name of a function, or of the class of an object that can be called."""
    while isinstance(function, partial):
        function = function.func
    named = next((name for name in ("__name__", "name") if isinstance(getattr(function, name, None), str)), "")
    name = getattr(function, named) if named else type(function).__name__
    return one_line("lambda" if name == "<lambda>" else name, _MAX_NAME)


class FunctionScorer:
    """Calls a function for each response and reads what it returns.

    Attributes:
        name: The name of its score.
    """

    def __init__(self, name: str, call: Callable[[Outcome], Any], owners: dict[str, str] | None = None) -> None:
        self.name = name
        self._call = call
        self._owners = {} if owners is None else owners
        self._lock = threading.Lock()

    def score(self, outcome: Outcome) -> Sequence[Score] | Awaitable[Sequence[Score]]:
        """Return the scores of a response.

        Raises:
            Exception: What the function raises; TypeError or ValueError for a value that is no score.
        """
        value = self._call(outcome)
        return self._wait(value) if inspect.isawaitable(value) else self._read(value)

    async def _wait(self, value: Awaitable[Any]) -> Sequence[Score]:
        return self._read(await value)

    def _read(self, value: Any) -> Sequence[Score]:
        scores = read_scores(self.name, value)
        with self._lock:
            for score in scores:
                owner = self._owners.setdefault(score.name, self.name)
                if owner != self.name:
                    raise ValueError(f"its score {score.name!r} is also that of {owner}: rename one of them")
        return scores


def _make_object(kind: type) -> Any:
    """Return an object of a class that can be made without arguments, such as autoevals' ExactMatch."""
    required = [
        each.name for each in arguments_of(kind) if each.default is each.empty and each.kind <= each.KEYWORD_ONLY
    ]
    required = [name for name in required if name not in {"args", "kwargs"}]
    if required:
        raise UsageError(
            f"The scorer {kind.__name__} is a class that needs {', '.join(required)}",
            remedy=f"Pass an object of it: {kind.__name__}({', '.join(f'{name}=…' for name in required)}).",
        )
    return kind()

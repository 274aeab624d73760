"""What a scorer's function is called with: its row and response, or what its parameters are named for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from .answers import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .outcome import Outcome

_TEXT = ("output", "outputs", "answer", "completion", "prediction", "text")
_EXPECTED = ("expected", "expected_output", "ground_truth", "label", "reference", "target")
_PROMPT = ("input", "prompt", "query", "question")
# also given where there is a default
_OPTIONAL = {"context", "expected", "expectations", "ground_truth", "input", "inputs", "outputs", "query"}
_ALL_ROWS = {"y_true", "y_pred"}  # scikit-learn's


def bind_arguments(function: Callable[..., Any], name: str) -> Callable[[Outcome], Any]:
    """Return what calls a scorer's function for an outcome.

    Parameters are filled in by their names if all are known; otherwise the function gets the row and the response.

    Args:
        function: The function.
        name: Its name, for messages.

    Raises:
        UsageError: It takes neither.
    """
    try:
        parameters = arguments_of(function)
    except ValueError:  # a function in C that does not say
        return lambda outcome: function(outcome.row, outcome.response)
    named = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    required = [each.name for each in named if each.default is each.empty]
    takes_names = any(each.kind is each.VAR_KEYWORD for each in parameters)
    is_positional_only = any(each.kind is each.POSITIONAL_ONLY for each in parameters)
    if _ALL_ROWS & {each.name for each in named}:
        raise UsageError(
            f"The scorer {name!r} takes all rows at once, not one",
            remedy="Call it with columns of the evaluation's to_pandas(), after the run.",
        )
    if not named and takes_names and not is_positional_only:  # an evaluator of azure-ai-evaluation
        return lambda outcome: function(**_evaluator_arguments(outcome))
    if not is_positional_only and (required or named) and all(map(_is_known, required)):
        wanted = {*required, *(each.name for each in named if each.name in _OPTIONAL)}
        if takes_names and wanted & set(_TEXT):  # a scorer of autoevals
            wanted |= {"input"}
        are_texts = bool(wanted & {"ground_truth", "query"})
        return lambda outcome: function(**{each: _argument(each, outcome, are_texts) for each in wanted})
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise UsageError(
            f"The scorer {name!r} takes ({', '.join(each.name for each in parameters)})",
            remedy="A scorer is called with (row, response), or with output, expected and input by name.",
        ) from None
    return lambda outcome: function(outcome.row, outcome.response)


def arguments_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters of a function.

    Raises:
        ValueError: It does not say.
    """
    return list(inspect.signature(function).parameters.values())


def expected_value(outcome: Outcome) -> Any:
    """Return what a row expects: the value, by field if there are several; None without an expectation."""
    expected = outcome.expected
    return next(iter(expected.values())) if len(expected) == 1 else dict(expected) or None


def _is_known(name: str) -> bool:
    return name in _READERS or name in _TEXT or name in _EXPECTED or name in _PROMPT


def _argument(name: str, outcome: Outcome, are_texts: bool) -> Any:
    if name in _TEXT or (name == "response" and are_texts):
        return outcome.text
    if name in _EXPECTED:
        return expected_value(outcome)
    return outcome.prompt if name in _PROMPT else _READERS[name](outcome)


def _evaluator_arguments(outcome: Outcome) -> dict[str, str]:
    """Return the arguments of an evaluator that takes any, under the names of azure-ai-evaluation."""
    expected, context = expected_value(outcome), outcome.row.get("context")
    known = {"query": outcome.prompt, "response": outcome.text}
    known |= {} if expected is None else {"ground_truth": as_text(expected)}
    return known | ({} if context is None else {"context": as_text(context)})


def _expectations(outcome: Outcome) -> dict[str, Any]:
    """Return what a row expects under the name that MLflow's scorers know."""
    expected = expected_value(outcome)
    return {} if expected is None else {"expected_response": expected}


_READERS: Mapping[str, Callable[[Outcome], Any]] = {
    "context": lambda outcome: outcome.row.get("context"),
    "expectations": _expectations,
    "inputs": lambda outcome: dict(outcome.row),
    "outcome": lambda outcome: outcome,
    "parsed": lambda outcome: outcome.response.parsed if outcome.response else None,
    "response": lambda outcome: outcome.response,
    "row": lambda outcome: outcome.row,
}

"""Metrics that measure a test case, as deepeval's do: `metric.measure(test_case)`, then `.score` and `.reason`."""

from __future__ import annotations

import copy
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .answers import as_text
from .scorer_arguments import arguments_of, expected_value

if TYPE_CHECKING:
    from .outcome import Outcome


def measure_with(metric: Any, outcome: Outcome) -> dict[str, Any]:
    """Return the score and the reason of a metric.

    Each response is measured by a copy of the metric, because a metric keeps its last score and rows run side by side.

    Args:
        metric: An object with `measure(test_case)`, which leaves its result in `score` and `reason`.
        outcome: The row and its response.
    """
    own = copy.copy(metric)
    quiet = {"_show_indicator": False} if "_show_indicator" in {each.name for each in arguments_of(own.measure)} else {}
    value = own.measure(_make_test_case(outcome), **quiet)
    score = getattr(own, "score", None)
    return {
        "score": value if score is None else score,
        "reason": getattr(own, "reason", None),
        "error": getattr(own, "error", None),
    }


def _make_test_case(outcome: Outcome) -> Any:
    """Return a test case of deepeval, which has been imported by whoever made the metric; else a plain object."""
    expected, context = expected_value(outcome), outcome.row.get("context")
    contexts = (
        None if context is None else [as_text(each) for each in ([context] if isinstance(context, str) else context)]
    )
    make = getattr(sys.modules.get("deepeval.test_case"), "LLMTestCase", SimpleNamespace)
    return make(
        input=outcome.prompt,
        actual_output=outcome.text,
        expected_output=None if expected is None else as_text(expected),
        context=contexts,
        retrieval_context=contexts,
    )

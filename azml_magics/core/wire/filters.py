"""Verdicts of Azure's content filters, as its services attach them to requests and responses.

Source: Azure OpenAI's documentation of content filter annotations.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from ..response import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse_verdicts(results: Any, source: Literal["prompt", "completion"]) -> tuple[Verdict, ...]:
    """Return the verdicts in `{category: {"filtered": …, "severity" or "detected": …, "citation": …}}`.

    Args:
        results: The wire's `content_filter_results`; anything else gives no verdicts.
        source: Whether they are about the prompt or the completion.
    """
    return tuple(_verdicts(results, source)) if isinstance(results, dict) else ()


def _verdicts(results: dict[str, Any], source: Literal["prompt", "completion"]) -> Iterator[Verdict]:
    for category, verdict in results.items():
        if not isinstance(verdict, dict) or not {"filtered", "detected", "severity"} & set(verdict):
            continue  # such as "error": the filter did not run
        severity, citation = verdict.get("severity"), verdict.get("citation")
        details = ["detected"] if verdict.get("detected") is True else []
        if isinstance(citation, dict):
            details += [str(part) for part in (citation.get("URL"), citation.get("license")) if part]
        if isinstance(verdict.get("details"), list | dict) and verdict["details"]:  # custom block lists
            details.append(json.dumps(verdict["details"], ensure_ascii=False))
        yield Verdict(
            str(category),
            severity if isinstance(severity, str) else "",
            filtered=verdict.get("filtered") is True,
            source=source,
            detail=", ".join(details),
        )


def parse_prompt_verdicts(value: dict[str, Any]) -> tuple[Verdict, ...]:
    """Return the verdicts on the prompt that a body or an event has beside its choices."""
    entries = value.get("prompt_filter_results") or value.get("prompt_annotations")
    if not isinstance(entries, list):
        return ()
    found = [entry.get("content_filter_results") for entry in entries if isinstance(entry, dict)]
    return tuple(verdict for results in found for verdict in parse_verdicts(results, "prompt"))

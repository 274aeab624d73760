"""The objects of an error in a body, and what the content filter says in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ContentFilterError
from .filters import parse_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..response import Verdict

_MAX_DEPTH = 8
_MAX_ITEMS = 20  # of a list of filters
_PROMPT = (None, "prompt", "messages", "input")  # values of `param` for a filter of the prompt
_SHIELD = {"jailbreak", "indirect_attack"}


def error_parts(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects of a decoded body that describe an error, the outermost first.

    Services put them at the top, in `error`, in its `innererror`, or in JSON that a gateway wrapped into its message.
    """
    if isinstance(value, str):
        value = _parse_json(value)
    if isinstance(value, list) and depth:  # `error.content_filters`
        for item in value[:_MAX_ITEMS]:
            yield from error_parts(item, depth + 1)
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    yield value
    for key in ("error", "innererror", "message", "content_filters"):
        yield from error_parts(value.get(key), depth + 1)


def parse_error_verdicts(value: Any) -> tuple[Verdict, ...]:
    """Return what the content filter says in the body of an error, a verdict for each category; () if nothing."""
    found: list[Verdict] = []
    for part in error_parts(value):
        source = "prompt" if part.get("param") in _PROMPT else "completion"
        for key in ("content_filter_result", "content_filter_results"):
            found += parse_verdicts(part.get(key), _source(part.get("source_type"), source))
    return tuple(dict.fromkeys(found))


def _source(written: Any, default: str) -> Literal["prompt", "completion"]:
    is_prompt = (written if written in {"prompt", "completion"} else default) == "prompt"
    return "prompt" if is_prompt else "completion"


def make_filter_error(
    verdicts: Sequence[Verdict], end: str, *, source: Literal["prompt", "completion"] = "prompt", **context: Any
) -> ContentFilterError:
    """Return the error of the content filter, which names the categories that it stopped.

    Args:
        verdicts: What the filter says.
        end: What follows in the cause, such as the status and the server's message.
        source: What the filter stopped, if the verdicts do not tell.
        context: EndpointError's other arguments.
    """
    stopped = [verdict for verdict in verdicts if verdict.filtered]
    if stopped:
        source = "completion" if all(verdict.source == "completion" for verdict in stopped) else "prompt"
    named = [f"{verdict.category}{f' ({verdict.severity})' if verdict.severity else ''}" for verdict in stopped]
    what = "prompt" if source == "prompt" else "response"
    cause = f"The content filter stopped the {what}{' for ' if named else ''}{', '.join(named)} {end}".rstrip()
    if any(verdict.category in _SHIELD for verdict in stopped):
        return ContentFilterError(
            cause,
            remedy="The prompt shield took it for an attempt to override the system message: rephrase the prompt.",
            error_code="prompt-shield",
            filters=verdicts,
            **context,
        )
    remedy = "Rephrase the prompt."
    if source == "completion":
        remedy = "Rephrase the prompt, or review the deployment's content filter."
    return ContentFilterError(cause, remedy=remedy, filters=verdicts, **context)


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip()[:1] in {"{", "[", '"'} else None
    except (ValueError, RecursionError):
        return None

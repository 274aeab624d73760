"""The facts of a response in one quiet line: model, region, tokens, how it ended, what filters found, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.pricing import cost_of, format_cost
from ..core.text import format_seconds, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.pricing import PriceSource
    from ..core.response import Response, Usage, Verdict

# Finish reasons of all wire formats that say nothing new, and those of a response that met its limit
_NORMAL = {"", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "completed", "tool_calls", "tool_use"}
_NORMAL |= {"function_call", "interrupted"}
_CUT = {"length", "max_tokens", "max_output_tokens", "model_length", "incomplete"}
_MAX_FACT = 80  # characters


def response_facts(
    response: Response, *, times: bool = False, always_finish: bool = False, price: PriceSource = None
) -> list[str]:
    """The facts about a response, each as a few words.

    Args:
        response: The response.
        times: Whether to include the time it took and the region, which differ from call to call.
        always_finish: Whether to include the finish reason even if it is an ordinary one.
        price: That of its config, for what it cost.
    """
    cost = format_cost(cost_of(response.usage, price))
    facts = [
        response.model,
        response.headers.get("x-ms-region", "") if times else "",
        format_usage(response.usage),
        f"cost {cost}" if cost else "",
        finish_note(response.finish_reason) or (response.finish_reason if always_finish else ""),
        filter_note(response.filters),
        f"{response.attempts} requests" if response.attempts > 1 and times else "",
        format_seconds(response.latency) if response.latency and times else "",
    ]
    return [one_line(fact, _MAX_FACT) for fact in facts if fact]


def notable_facts(response: Response) -> list[str]:
    """The facts that do not change from call to call, if one of them is out of the ordinary; else none."""
    usage = response.usage
    has_details = usage is not None and (usage.reasoning_tokens or usage.cached_tokens or usage.audio_tokens)
    is_notable = has_details or finish_note(response.finish_reason) or filter_note(response.filters)
    return response_facts(response) if is_notable else []


def format_usage(usage: Usage | None) -> str:
    """The tokens of a response, such as "200 tokens (192 reasoning), 3,200 cached"; "" if none are counted."""
    if usage is None or usage.completion_tokens is None:
        return ""
    inside = [f"{usage.reasoning_tokens:,} reasoning"] if usage.reasoning_tokens else []
    inside += [f"{usage.audio_tokens:,} audio"] if usage.audio_tokens else []
    unit = "token" if usage.completion_tokens == 1 else "tokens"
    text = f"{usage.completion_tokens:,} {unit}" + (f" ({', '.join(inside)})" if inside else "")
    return f"{text}, {usage.cached_tokens:,} cached" if usage.cached_tokens else text


def finish_note(finish_reason: str | None) -> str:
    """How the response ended, if that is out of the ordinary; else ""."""
    reason = finish_reason or ""
    if reason in _CUT:
        return "cut off at the token limit"
    return "" if reason.lower() in _NORMAL else f"finish reason {reason}"


def filter_note(filters: Iterable[Verdict]) -> str:
    """The categories that a content filter found above "safe", such as "violence low, jailbreak in the prompt"."""
    notes = []
    for verdict in filters:
        if verdict.filtered or verdict.severity not in {"", "safe"} or verdict.detail:
            words = [verdict.category.replace("_", " "), verdict.severity, "filtered" if verdict.filtered else ""]
            notes.append(" ".join(filter(None, words)) + (" in the prompt" if verdict.source == "prompt" else ""))
    return ", ".join(dict.fromkeys(notes))

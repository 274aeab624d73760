"""A response as figures and as JSON, for the Usage and JSON tabs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from azml_magics.core.pricing import cost_of, format_cost
from azml_magics.core.text import escape_controls
from azml_magics.display.facts import filter_note

if TYPE_CHECKING:
    from azml_magics.core.pricing import PriceSource
    from azml_magics.core.response import Response


def usage_figures(response: Response, price: PriceSource = None) -> list[tuple[str, str]]:
    """(name, value with its unit) of everything that is known about a response.

    Args:
        response: the response.
        price: that of its config, for what it cost.
    """
    usage = response.usage
    first, total = response.time_to_first_token, response.latency
    figures = [
        ("latency", f"{total:.2f} s" if total else ""),
        ("time to first token", f"{first:.2f} s" if first is not None and first < total else ""),
        ("prompt tokens", _count_text(usage.prompt_tokens) if usage else ""),
        ("completion tokens", _count_text(usage.completion_tokens) if usage else ""),
        ("reasoning tokens", _count_text(usage.reasoning_tokens or None) if usage else ""),
        ("cached tokens", _count_text(usage.cached_tokens or None) if usage else ""),
        ("audio tokens", _count_text(usage.audio_tokens or None) if usage else ""),
        ("total tokens", _count_text(usage.total_tokens) if usage else ""),
        ("cost", format_cost(cost_of(usage, price))),
        ("tokens per second", tokens_per_second(response)),
        ("characters", str(len(response.text))),
        ("finish reason", response.finish_reason or ""),
        ("content filters", filter_note(response.filters)),
        ("requests", str(response.attempts) if response.attempts > 1 else ""),
        ("requests left", response.headers.get("x-ratelimit-remaining-requests", "")),
        ("tokens left", response.headers.get("x-ratelimit-remaining-tokens", "")),
        ("model", response.model),
        ("deployment", response.deployment),
        ("region", response.headers.get("x-ms-region", "")),
        ("request id", response.request_id),
    ]
    return [(name, value) for name, value in figures if value]


def _count_text(tokens: int | None) -> str:
    return "" if tokens is None else str(tokens)


def tokens_per_second(response: Response) -> str:
    """Completion tokens per second, counted from the first token on; "" if the endpoint reports no tokens."""
    tokens = response.usage.completion_tokens if response.usage else None
    writing = response.latency - (response.time_to_first_token or 0)
    if not tokens or response.latency <= 0:
        return ""
    return f"{tokens / (writing if writing > 0 else response.latency):.1f}"


def raw_json(response: Response) -> str:
    """The reply as JSON: as it was received or, if it was streamed, assembled from its events."""
    if response.raw is not None:
        return _to_json(response.raw)
    parts = response.to_dict("text", "reasoning", "tool_calls", "finish_reason", "usage", "model")
    return _to_json({name: part for name, part in parts.items() if part})


def _to_json(value: object) -> str:
    return escape_controls(json.dumps(value, indent=2, ensure_ascii=False))

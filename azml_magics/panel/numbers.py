"""An answer in figures and as data: what the Numbers and Response tabs show. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azml_magics.core.response import Response


def figures(response: Response) -> list[tuple[str, str]]:
    """(name, value with its unit) of everything that is known about an answer."""
    usage = response.usage
    first, total = response.time_to_first_token, response.latency
    facts = [
        ("latency", f"{total:.2f} s" if total else ""),
        ("time to first token", f"{first:.2f} s" if first is not None and first < total else ""),
        ("prompt tokens", _count(usage.prompt_tokens) if usage else ""),
        ("completion tokens", _count(usage.completion_tokens) if usage else ""),
        ("total tokens", _count(usage.total_tokens) if usage else ""),
        ("tokens per second", rate(response)),
        ("characters", str(len(response.text))),
        ("finish reason", response.finish_reason or ""),
        ("model", response.model),
        ("deployment", response.deployment),
        ("request id", response.request_id),
    ]
    return [(name, value) for name, value in facts if value]


def _count(tokens: int | None) -> str:
    return "" if tokens is None else str(tokens)


def rate(response: Response) -> str:
    """Completion tokens per second from the first token on; "" where the endpoint counts none."""
    tokens = response.usage.completion_tokens if response.usage else None
    writing = response.latency - (response.time_to_first_token or 0)
    if not tokens or response.latency <= 0:
        return ""
    return f"{tokens / (writing if writing > 0 else response.latency):.1f}"


def raw(response: Response) -> str:
    """The reply as JSON: as it came or, of a streamed one, what its pieces came to."""
    if response.raw is not None:
        return json.dumps(response.raw, indent=2, ensure_ascii=False)
    parts = {
        "text": response.text,
        "reasoning": response.reasoning,
        "tool_calls": list(response.tool_calls),
        "finish_reason": response.finish_reason,
        "usage": response.usage.to_dict() if response.usage else None,
        "model": response.model,
    }
    return json.dumps({name: part for name, part in parts.items() if part}, indent=2, ensure_ascii=False)

"""Verdicts of the content filter, in the forms of the chat and the Responses route."""

from __future__ import annotations

from typing import Any

_SAFE = {"filtered": False, "severity": "safe"}
_ABSENT = {"filtered": False, "detected": False}
_SEVERITIES = ("hate", "self_harm", "sexual", "violence")


def prompt_verdicts() -> dict[str, Any]:
    """Return the verdicts on a prompt, by category."""
    return {**dict.fromkeys(_SEVERITIES, _SAFE), "jailbreak": _ABSENT}


def completion_verdicts() -> dict[str, Any]:
    """Return the verdicts on a response, by category."""
    return {
        **dict.fromkeys(_SEVERITIES, _SAFE),
        "protected_material_text": _ABSENT,
        "protected_material_code": _ABSENT,
    }


def filter_groups(*, blocked: bool = False) -> list[dict[str, Any]]:
    """Return `content_filters` of the Responses route.

    Args:
        blocked: Whether the prompt was taken for a jailbreak; then there is no verdict on a response.
    """
    found = {**prompt_verdicts(), "jailbreak": {"filtered": True, "detected": True}} if blocked else prompt_verdicts()
    groups = [_group("prompt", found, blocked=blocked)]
    return groups if blocked else [*groups, _group("completion", completion_verdicts(), blocked=False)]


def _group(source: str, verdicts: dict[str, Any], *, blocked: bool) -> dict[str, Any]:
    return {
        "blocked": blocked,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": verdicts,
        "content_filter_offsets": {"start_offset": 0, "end_offset": 7, "check_offset": 0},
    }

"""Verdicts of Azure's content filter that stop nothing: violence above "safe", protected material with its source."""

from __future__ import annotations

import json
from typing import Any

from azml_magics.emulator.content_filters import completion_verdicts, prompt_verdicts
from azml_magics.emulator.http_response import DONE, fastapi_json, sse

_FOUND = {
    "violence": {"filtered": False, "severity": "low"},
    "protected_material_text": {
        "filtered": False,
        "detected": True,
        "citation": {"URL": "https://example.org/x", "license": "MIT"},
    },
}
_ATTACK = {"jailbreak": {"filtered": False, "detected": True}}


def annotate_body(body: bytes) -> bytes:
    """Return a chat or Responses object with verdicts; any other body is left alone."""
    try:
        data = json.loads(body)
    except ValueError:
        return body
    return fastapi_json(data) if isinstance(data, dict) and _annotate(data) else body


def _annotate(data: dict[str, Any]) -> bool:
    """Put the verdicts into an object in place; return whether it has a place for them."""
    if isinstance(data.get("content_filters"), list):
        for group in data["content_filters"]:
            group["content_filter_results"].update(_ATTACK if group["source_type"] == "prompt" else _FOUND)
        return True
    choices = data.get("choices")
    if not isinstance(choices, list):
        return False
    data["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": {**prompt_verdicts(), **_ATTACK}}]
    for choice in choices:
        choice["content_filter_results"] = {**completion_verdicts(), **_FOUND}
    return True


def annotate_events(events: list[bytes]) -> list[bytes]:
    """Return a stream with verdicts: on the chat route in events of their own, as from the asynchronous filter."""
    if events and events[-1].startswith(b"event: response."):
        head, _, line = events[-1].partition(b"\ndata: ")
        data = json.loads(line)
        _annotate(data["response"])
        return [*events[:-1], head + b"\ndata: " + fastapi_json(data) + b"\n\n"]
    if DONE not in events:
        return events
    end = events.index(DONE)
    middle = max(1, end // 2)
    first = {"prompt_annotations": [{"prompt_index": 0, "content_filter_results": {**prompt_verdicts(), **_ATTACK}}]}
    violence, material = ({name: verdict} for name, verdict in _FOUND.items())
    return [
        sse({**_frame([]), **first}),
        *events[:middle],
        sse(_frame([_verdict(violence)])),
        *events[middle:end],
        sse(_frame([_verdict(material)])),
        *events[end:],
    ]


def _frame(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "", "object": "", "created": 0, "model": "", "choices": choices, "usage": None}


def _verdict(results: dict[str, Any]) -> dict[str, Any]:
    offsets = {"check_offset": 44, "start_offset": 44, "end_offset": 198}
    return {
        "index": 0,
        "finish_reason": None,
        "content_filter_results": results,
        "content_filter_offsets": offsets,
    }

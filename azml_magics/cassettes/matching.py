"""Whether a request is a recorded one, and how it differs. Requests are JSON as `format.describe_request` makes it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ..core.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator


def hash_request(request: Any) -> str:
    """A text that is the same for the same request, in whatever order its keys are."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def has_mask(request: Any) -> bool:
    """Whether a key in the request was masked."""
    return MASK in json.dumps(request)


def is_match(recorded: Any, request: Any) -> bool:
    """Whether `recorded` is `request`; a mask in it stands for any text."""
    if isinstance(recorded, str) and isinstance(request, str):
        return _is_text_match(recorded, request)
    if isinstance(recorded, dict) and isinstance(request, dict):
        return recorded.keys() == request.keys() and all(is_match(recorded[name], request[name]) for name in recorded)
    if isinstance(recorded, list) and isinstance(request, list):
        return len(recorded) == len(request) and all(map(is_match, recorded, request))
    return bool(recorded == request)


def _is_text_match(recorded: str, text: str) -> bool:
    first, *rest = recorded.split(MASK)
    if not rest:
        return recorded == text
    *middle, last = rest
    if not text.startswith(first):
        return False
    end = len(first)
    for part in middle:
        found = text.find(part, end)
        if found < 0:
            return False
        end = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= end


def find_differences(request: Any, recorded: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, value of the request, recorded value) for every difference; ... stands for a value that is absent."""
    if isinstance(request, dict) and isinstance(recorded, dict):
        for name in {**request, **recorded}:
            inner = f"{path}.{name}" if path else str(name)
            yield from find_differences(request.get(name, ...), recorded.get(name, ...), inner)
    elif isinstance(request, list) and isinstance(recorded, list) and len(request) == len(recorded):
        for index, (one, other) in enumerate(zip(request, recorded, strict=True)):
            yield from find_differences(one, other, f"{path}.{index}")
    elif type(request) is not type(recorded) or request != recorded:
        yield path, request, recorded

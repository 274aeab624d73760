"""Masks a key that a server cut into several events of a stream, each of which holds a part that tells nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.redaction import MASK, find_keys
from ..core.stream_redaction import keys_to_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..core.secret import Secret

_DATA = b"data:"


class _EventText(NamedTuple):
    """A text in an event: the list or object that it is in, its place there, and the number of the event's line."""

    holder: Any
    place: Any
    line: int

    @property
    def value(self) -> str:
        text: str = self.holder[self.place]
        return text


def mask_cut_keys(pieces: Sequence[tuple[float, bytes]], secrets: tuple[Secret, ...]) -> list[tuple[float, bytes]]:
    """Return the pieces of a stream with the keys masked that several events spell together.

    Args:
        pieces: Seconds and bytes, each of which ends a line.
        secrets: The keys of the request.
    """
    keys = keys_to_mask(secrets)
    if not keys:
        return list(pieces)
    lines = [piece.splitlines(keepends=True) for _, piece in pieces]
    flat = [line for each in lines for line in each]
    events = {number: event for number, line in enumerate(flat) if (event := _read_event(line)) is not None}
    for number in _mask(events, keys):
        end = b"\r\n" if flat[number].endswith(b"\r\n") else b"\n"
        flat[number] = b"data: " + json.dumps(events[number], ensure_ascii=False).encode("utf-8", "surrogatepass") + end
    rest = iter(flat)
    return [(seconds, b"".join(next(rest) for _ in each)) for (seconds, _), each in zip(pieces, lines, strict=True)]


def _read_event(line: bytes) -> Any:
    """Return the JSON of an event's line; None if it has none."""
    try:
        value = json.loads(line[len(_DATA) :]) if line.startswith(_DATA) else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _mask(events: dict[int, Any], keys: tuple[str, ...]) -> set[int]:
    """Mask the keys in the events, and return the numbers of those that changed."""
    channels = defaultdict[str, list[_EventText]](list)
    for number, event in events.items():
        for path, text in _texts_of(event, number):
            channels[path].append(text)
    changed = set[int]()
    for texts in channels.values():
        joined = "".join(text.value for text in texts)
        for start, end in find_keys(joined, keys):
            changed |= _cut_out(texts, start, end)
    return changed


def _cut_out(texts: list[_EventText], start: int, end: int) -> set[int]:
    """Mask what the texts together hold from `start` to `end`, without moving what follows.

    A key that one text holds whole is masked with its line.
    """
    at, changed = 0, set[int]()
    for holder, place, line in texts:
        text = holder[place]
        first, last = max(start - at, 0), min(end - at, len(text))
        at += len(text)
        if first < last and last - first < end - start:
            holder[place] = text[:first] + MASK[0] * (last - first) + text[last:]
            changed.add(line)
    return changed


def _texts_of(value: Any, line: int) -> Iterator[tuple[str, _EventText]]:
    """Yield the path of every text in an event, and the text."""
    waiting = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        members = inner.items() if isinstance(inner, dict) else enumerate(inner)
        for place, member in members:
            if isinstance(member, str):
                yield f"{path}.{place}", _EventText(inner, place, line)
            elif isinstance(member, dict | list):
                waiting.append((f"{path}.{place}", member))

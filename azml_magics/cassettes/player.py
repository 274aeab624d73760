"""Answers requests from a cassette."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import NotRecordedError
from ..core.paths import path_of
from ..core.text import one_line
from . import active
from .format import describe_request, read_cassette
from .matching import find_differences, has_mask, hash_request, is_match

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.client import AsyncClient, Client
    from ..core.http.exchange import Request
    from ..core.http.recording import RecordedResponse

_MAX_DIFFERENCES = 3  # that an error names
_MAX_VALUE = 60  # characters
_CONTEXT = 16  # characters of two long values that are shown before their first difference


class CassettePlayer:
    """Answers every request of this process from a cassette, between `start` and `stop` or in a `with` block.

    A request that is sent again gets the next response that was recorded for it, and after the last one the first
    again. A response whose reader left early is used only if there is no whole one for the request. `len()` is the
    number of recorded exchanges.

    Args:
        path: The file.
        client: Whose requests; None for all of this process.

    Raises:
        DocumentError: The file cannot be read, or is not a cassette of this format.

    Attributes:
        path: The file.
    """

    replays: Literal[True] = True

    def __init__(self, path: str | Path, client: Client | AsyncClient | None = None) -> None:
        self.path = path_of(path)
        self._client = client
        self._lock = threading.Lock()
        self._responses: dict[str, list[RecordedResponse]] = defaultdict(list)
        self._next: dict[str, int] = defaultdict(int)
        self._requests: dict[str, dict[str, Any]] = {}
        exchanges, _ = read_cassette(self.path)
        self._count = len(exchanges)
        for request, response in exchanges:
            key = hash_request(request)
            self._requests[key] = request
            self._responses[key].append(response)
        self._masked = {key: request for key, request in self._requests.items() if has_mask(request)}
        for key, responses in self._responses.items():
            responses.sort(key=lambda response: response.sequence)
            self._responses[key] = [response for response in responses if response.is_complete] or responses

    def __len__(self) -> int:
        return self._count

    def start(self) -> CassettePlayer:
        """Replay from now on; returns itself."""
        active.activate(self, self._client)
        return self

    def stop(self) -> None:
        """Stop replaying, and use again what was in use before."""
        active.deactivate(self, self._client)

    def __enter__(self) -> CassettePlayer:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def replay(self, request: Request) -> RecordedResponse:
        """Return the recorded response.

        Raises:
            NotRecordedError: The request was not recorded. The message says how the nearest recorded one differs.
        """
        described = describe_request(request)
        key = hash_request(described)
        if key not in self._requests:
            key = next((other for other, recorded in self._masked.items() if is_match(recorded, described)), "")
        if not key:
            raise NotRecordedError(
                f"{self.path.name} has no response to this request to {described['path']}: {self._nearest(described)}",
                remedy="Record it with azml_magics.record(PATH), or end the replay.",
            )
        with self._lock:
            responses = self._responses[key]
            response = responses[self._next[key] % len(responses)]
            self._next[key] += 1
        return response

    def _nearest(self, request: dict[str, Any]) -> str:
        """How the nearest recorded request differs, in words."""
        if not self._requests:
            return "it is empty"
        found = min((list(find_differences(request, recorded)) for recorded in self._requests.values()), key=len)
        shown = [f"{path} (sent {one}, recorded {other})" for path, one, other in map(_shorten, found)]
        more = f" and {len(shown) - _MAX_DIFFERENCES} more" if len(shown) > _MAX_DIFFERENCES else ""
        return f"the nearest one differs in {', '.join(shown[:_MAX_DIFFERENCES])}{more}"


def _shorten(difference: tuple[str, Any, Any]) -> tuple[str, str, str]:
    """A difference with short values: long ones begin shortly before they differ."""
    path, *values = difference
    one, other = ("nothing" if value is ... else json.dumps(value, ensure_ascii=False) for value in values)
    equal = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    start = max(equal - _CONTEXT, 0)
    one, other = (one_line(f"{'…' if start else ''}{text[start:]}", _MAX_VALUE) for text in (one, other))
    return path, one, other

"""What clients sent to the emulator, newest last, for tests and tutorials to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

KEPT_REQUESTS = 1000
KEPT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived: query is the raw text after "?", header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    request_id: str = ""

    def json(self) -> Any:
        """The body read as JSON; json.JSONDecodeError or UnicodeDecodeError when it is not."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        """The request line and the size; headers carry keys and stay out of sight."""
        query = f"?{self.query}" if self.query else ""
        return f"<RecordedRequest {self.method} {self.path}{query} {len(self.body)} bytes>"


class Requests(list[RecordedRequest]):
    """A list of the last requests: at most 1,000 of them, or as many as fit in 16 MB of bodies."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def append(self, request: RecordedRequest) -> None:
        super().append(request)
        self._bytes += len(request.body)
        while len(self) > KEPT_REQUESTS or (self._bytes > KEPT_BYTES and len(self) > 1):
            self._bytes -= len(self.pop(0).body)

    def clear(self) -> None:
        super().clear()
        self._bytes = 0

"""The requests that clients sent to the emulator, newest last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

KEPT_REQUESTS = 1000
KEPT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived.

    Attributes:
        method: The HTTP method.
        path: The path, decoded.
        query: The raw text after "?".
        headers: The headers, their names in lower case.
        body: The body's bytes.
        request_id: The id that the response carries.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    request_id: str = ""

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.body)

    def __repr__(self) -> str:
        """Return the request line and the size; headers are left out because they contain keys."""
        query = f"?{self.query}" if self.query else ""
        return f"<RecordedRequest {self.method} {self.path}{query} {len(self.body)} bytes>"


class Requests(list[RecordedRequest]):
    """The last requests: at most 1,000, and at most 16 MB of bodies."""

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

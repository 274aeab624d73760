"""Request ids that are the same in every run: a notebook that is run again shows the same ids."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter

_MAX_REMEMBERED = 10_000


class RequestIds:
    """Makes the id of a request from what was sent and how often it was sent before."""

    def __init__(self) -> None:
        self._times: Counter[bytes] = Counter()

    def make_id(self, method: str, path: str, query: str, body: bytes) -> str:
        """Return an id in the form of a UUID; a request that is repeated gets another one."""
        digest = hashlib.sha256(f"{method} {path}?{query}\n".encode() + body).digest()
        if len(self._times) >= _MAX_REMEMBERED:
            self._times.clear()
        self._times[digest] += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest.hex()} {self._times[digest]}"))

"""Secret: a key in memory that nothing prints."""

from __future__ import annotations

import hmac
import re
from typing import NoReturn

from .redaction import MASK


class Secret:
    """A key in memory that no print, log, format, traceback, copy to disk or pickle can show.

    White space around the key is stripped, and `reveal` strips a leading "Bearer ": they are often pasted along.

    Args:
        value: The key.
    """

    __slots__ = ("_given", "_value")

    def __init__(self, value: str) -> None:
        self._given = value.strip()
        self._value = re.sub(r"(?i)^\s*bearer(\s+|$)", "", value).strip()

    def reveal(self) -> str:
        """Return the key itself, for the Authorization header and nothing else."""
        return self._value

    def reveal_as_given(self) -> str:
        """Return the key as it was given, with its "Bearer ", for a header that is sent as it is."""
        return self._given

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (key.reveal().encode("utf-8", "surrogatepass") for key in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled: keep a key reference such as env:NAME instead.")

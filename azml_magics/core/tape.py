"""Where a recorder may sit between the policy and the network: the transport asks it first and tells it afterwards.

The core knows only this seam; cassette.py, which keeps exchanges in files, plugs in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .policy import Request


@dataclass(frozen=True)
class Take:
    """A reply as it came: status, headers (lower-case names), and its pieces with the seconds before each."""

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[tuple[float, bytes]]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(piece for _, piece in self.pieces)


class Tape(Protocol):
    """What may be inserted. `replays`: it answers every request itself, so that no key and no network are needed."""

    replays: bool

    def play(self, request: Request) -> Take:
        """The reply to give in place of the network's; an AzmlError where there is none. Asked only if it replays."""

    def keep(self, request: Request, take: Take) -> None:
        """Told of every exchange that went over the network. Called only if it does not replay."""


_inserted: Tape | None = None


def insert(tape: Tape | None) -> None:
    """Put `tape` in for every request of this process from now on; None takes out what is in."""
    global _inserted  # noqa: PLW0603 - one recorder a process, as the transport is one
    _inserted = tape


def inserted() -> Tape | None:
    """The tape that is in, or None."""
    return _inserted


def is_replaying() -> bool:
    """Whether requests are answered from a tape."""
    return _inserted is not None and _inserted.replays

"""The cassettes in use by this process, the innermost last."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..core.http import recording

if TYPE_CHECKING:
    from ..core.client import AsyncClient, Client
    from ..core.http.recording import Player, Recorder

_lock = threading.Lock()
_active: list[Recorder | Player] = []
_before: Recorder | Player | None = None  # what was in use when the first one started


def innermost() -> Recorder | Player | None:
    """The cassette that all requests of this process go through now; None if there is none."""
    with _lock:
        return _active[-1] if _active else None


def activate(cassette: Recorder | Player, client: Client | AsyncClient | None = None) -> None:
    """Let requests go through `cassette` until it is deactivated or another one is activated.

    Args:
        cassette: The cassette.
        client: Whose requests; None for all of this process.
    """
    if client is not None:
        client.recorder = cassette
        return
    global _before  # noqa: PLW0603 - the recorder of core/http/recording.py is one for the process
    with _lock:
        if not _active:
            _before = recording.current()
        _active.append(cassette)
        recording.use(cassette)


def deactivate(cassette: Recorder | Player, client: Client | AsyncClient | None = None) -> None:
    """Let requests go through what was in use before; does nothing if `cassette` is not active.

    Cassettes that were activated later, in this thread or another one, stay in use.

    Args:
        cassette: The cassette.
        client: As it was activated.
    """
    if client is not None:
        client.recorder = None if client.recorder is cassette else client.recorder
        return
    with _lock:
        for index in reversed(range(len(_active))):
            if _active[index] is cassette:
                del _active[index]
                recording.use(_active[-1] if _active else _before)
                return

"""Announcer: tells listeners what changes in a session."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Change(NamedTuple):
    """What listeners are told.

    Attributes:
        kind: "saved", "deleted", "renamed", "used", "kept" or "forgotten" for a config, "recorded" or "noted" for an
            exchange, "conversation" for a conversation.
        name: The name of the config, or of the conversation.
        former: The name before it was renamed, else "".
    """

    kind: str
    name: str
    former: str = ""


class Announcer:
    """An object with a lock that announces its changes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Change], None]] = []

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with every change from now on; returns the function that ends it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def _announce(self, kind: str, name: str, former: str = "") -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:  # outside the lock: a listener may call the session
            _notify(listener, Change(kind, name, former))


def _notify(listener: Callable[[Change], None], change: Change) -> None:
    try:
        listener(change)
    except Exception:  # the change is made, and the other listeners must be called
        logging.getLogger(__name__).exception("A listener of the session failed")

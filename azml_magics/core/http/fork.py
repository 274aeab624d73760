"""What a forked child must start afresh: its parent's threads, which held the locks, are not there."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class SupportsReset(Protocol):
    """An object that can start afresh in a forked child."""

    def reset_after_fork(self) -> None:
        """Replace locks, and forget what belongs to threads of the parent."""


_objects: weakref.WeakSet[SupportsReset] = weakref.WeakSet()


def reset_in_child(obj: SupportsReset) -> None:
    """Call `obj.reset_after_fork()` in every child that this process forks, as long as the object lives."""
    _objects.add(obj)


def _reset_all() -> None:
    for obj in list(_objects):
        obj.reset_after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_all)

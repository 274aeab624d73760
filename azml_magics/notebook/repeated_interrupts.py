"""An interrupt pressed twice is one interrupt: the second would hit what the first has started to keep."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_GRACE = 1.5  # seconds after an interrupt in which further ones are dropped; later ones stop what does not end


class _OncePerGrace:
    """A handler of SIGINT that passes the first of several quick interrupts on.

    Args:
        previous: The handler that it stands for.
    """

    def __init__(self, previous: Any) -> None:
        self.previous = previous
        self.last: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.last is None or now - self.last > _GRACE:
            self.last = now
            self.previous(number, frame)


@contextlib.contextmanager
def drop_repeated_interrupts(*, until_cell_ends: bool) -> Iterator[None]:
    """Within the block, drop the interrupts that quickly follow another one.

    Does nothing outside the main thread, and if something else than Python handles SIGINT.

    Args:
        until_cell_ends: After an interrupt, leave the handler in place for the rest of the cell. ipykernel sets its own
            for every cell; an interrupt while it answers the frontend would leave the cell running there for ever.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    if isinstance(previous, _OncePerGrace):  # a cell in a cell, or one that went on after an interrupt
        yield
        return
    handler = _OncePerGrace(previous)
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        is_ours = signal.getsignal(signal.SIGINT) is handler
        if is_ours and not (until_cell_ends and handler.last is not None):
            signal.signal(signal.SIGINT, previous)

"""Interrupts that arrive while a thread waits for a lock."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def unmask_interrupts() -> Iterator[None]:
    """Let a KeyboardInterrupt leave a block that waits for a `threading.Condition` or `threading.Event`.

    If the interrupt arrives while `Condition.wait` takes its lock again, the lock stays free, and the `with` statement
    around it fails to release it: a RuntimeError hides the KeyboardInterrupt (CPython, seen with 3.10 and 3.11).

    Raises:
        KeyboardInterrupt: The interrupt that such a RuntimeError hid.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise

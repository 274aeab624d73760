"""A lock on an open file that nobody else can have, and that goes with the process however it ends."""

from __future__ import annotations

import os
import sys

_FAR = 1 << 40  # Windows locks bytes: one behind everything that is ever read


def try_lock(descriptor: int) -> bool:
    """Whether the file is ours now; False where another open file, of this process or another, has it.

    The operating system takes it back when the file is closed or its process ends, kill -9 included. OSError where the
    file system knows no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

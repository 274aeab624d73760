"""A lock on an open file that ends with its process, whatever ends it."""

from __future__ import annotations

import os
import sys

_LOCK_OFFSET = 1 << 40  # Windows locks bytes: one behind everything that is ever read


def try_lock(file: int) -> bool:
    """Lock an open file until it is closed or its process ends, also by kill -9.

    Returns:
        False if another open file, of this process or another, has the lock.

    Raises:
        OSError: The file system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

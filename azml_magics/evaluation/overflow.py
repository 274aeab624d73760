"""A temporary file for what does not fit into memory."""

from __future__ import annotations

import pickle
import tempfile
import threading
import weakref
from typing import Any


class OverflowFile:
    """Objects in a temporary file, which only this process can read and which is gone when it ends."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=1 << 16)  # noqa: SIM115 - open as long as this object
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._lock = threading.Lock()

    def add(self, value: Any) -> int | None:
        """Write an object.

        Returns:
            Where it is; None if it cannot be written, because it cannot be pickled or the disk is full.
        """
        try:
            data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001 - an object of the user's own may fail in any way
            return None
        with self._lock:
            at = self._end
            try:
                self._file.seek(at)
                self._file.write(len(data).to_bytes(8, "little") + data)
            except OSError:
                return None
            self._end += 8 + len(data)
        return at

    def get(self, at: int) -> Any:
        """Return the object that `add` wrote there."""
        with self._lock:
            self._file.seek(at)
            size = int.from_bytes(self._file.read(8), "little")
            data = self._file.read(size)
        return pickle.loads(data)  # noqa: S301 - this process wrote it, and nobody else can

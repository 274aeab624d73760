"""Where the entries of a journal are in its file: a temporary SQLite database, so that they take no memory."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from ..core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entries (key BLOB, n INTEGER, at INTEGER, size INTEGER, PRIMARY KEY (key, n)) WITHOUT ROWID;
CREATE TABLE numbers (key BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID;
"""


class JournalIndex:
    """Where the entries are in the file, by key and number. The operating system removes it with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def add(self, key: bytes, n: int, at: int, size: int) -> None:
        """Note the offset and the size of an entry, in bytes; a later entry of the same row replaces an earlier one."""
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (key, n, at, size))

    def find(self, key: bytes, n: int) -> tuple[int, int] | None:
        """Return the offset and the size of an entry, None if there is none."""
        row: tuple[int, int] | None = self._run("SELECT at, size FROM entries WHERE key = ? AND n = ?", (key, n))
        return row

    def count(self, key: bytes) -> int:
        """Return how many entries have this key."""
        return int(self._run("SELECT count(*) FROM entries WHERE key = ?", (key,))[0])

    def next_number(self, key: bytes) -> int:
        """Return how often this was called with `key` before. One thread numbers the rows, in their order."""
        self._run("INSERT INTO numbers VALUES (?, 0) ON CONFLICT (key) DO UPDATE SET n = n + 1", (key,))
        return int(self._run("SELECT n FROM numbers WHERE key = ?", (key,))[0])

    def __len__(self) -> int:
        return int(self._run("SELECT count(*) FROM entries")[0])

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of the statement's result, None if there is none."""
        try:
            with self._lock:
                return self._database.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise JournalError(
                f"The journal's index in the temporary folder failed: {error}", remedy="Free some space there."
            ) from error

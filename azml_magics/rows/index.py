"""Where in a journal each answer lies, on disk: a table of 100,000 rows takes no more memory than one of ten."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE kept (key BLOB, n INTEGER, at INTEGER, size INTEGER, PRIMARY KEY (key, n)) WITHOUT ROWID;
CREATE TABLE seen (key BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID;
"""


class Kept(NamedTuple):
    """Where an answer's line begins, and how long it is, in bytes."""

    at: int
    size: int


class Index:
    """Answers by key and number: equal rows have the same key, and the numbers 0, 1, 2, … tell them apart.

    A temporary SQLite database, which the operating system removes with the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def put(self, key: bytes, n: int, kept: Kept) -> None:
        """Note where an answer is, over one that was noted before."""
        self._run("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", (key, n, *kept))

    def get(self, key: bytes, n: int) -> Kept | None:
        """Where the answer is; None where there is none."""
        _, found = self._run("SELECT at, size FROM kept WHERE key = ? AND n = ?", (key, n))
        return Kept(*found) if found else None

    def number(self, key: bytes) -> int:
        """How many rows with this key were numbered before this one. One thread numbers the rows, in their order."""
        is_new, _ = self._run("INSERT OR IGNORE INTO seen VALUES (?, 0)", (key,))
        if is_new:
            return 0
        self._run("UPDATE seen SET n = n + 1 WHERE key = ?", (key,))
        _, found = self._run("SELECT n FROM seen WHERE key = ?", (key,))
        return int(found[0])

    def __len__(self) -> int:
        _, found = self._run("SELECT count(*) FROM kept")
        return int(found[0])

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._database.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> tuple[int, Any]:
        """(how many rows it changed, the first that it found: None where it found none)."""
        try:
            with self._lock:
                done = self._database.execute(statement, values)
                return done.rowcount, done.fetchone()
        except sqlite3.Error as error:
            raise JournalError(
                f"The journal's index in the temporary folder failed: {error}", remedy="Free some space there."
            ) from error

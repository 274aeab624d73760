"""Reads the journal of an earlier run, which may still be running: nothing is locked or changed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..core.errors import JournalError
from ..core.paths import path_of
from . import entries
from .journal_index import JournalIndex

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.errors import AzmlError
    from ..core.response import Response


class JournalReader:
    """A journal that is only read.

    Attributes:
        path: The file.
        settings: What is in its first line.
        declared: The settings and the label of each setting, if it is the journal of an evaluation.
    """

    def __init__(self, path: str | Path) -> None:
        """Index the lines of the file.

        Raises:
            JournalError: The file cannot be read, or is not a journal of this format.
        """
        self.path = path_of(path)
        self.declared: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._index = JournalIndex()
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise JournalError(
                f"The journal {str(self.path)!r} cannot be read: {error.strerror or error}",
                remedy="Name the journal of an earlier run.",
            ) from error
        try:
            self.settings = entries.read_header(self.path, self._file.readline())
            self._read_lines()
        except BaseException:
            self.close()
            raise

    def _read_lines(self) -> None:
        at = self._file.tell()
        for line in self._file:
            declared = entries.parse_setting(line)
            if declared is not None:
                self.declared.append(declared)
            else:
                with contextlib.suppress(ValueError):  # half a line of a run that was killed, or is running
                    key, n, *_ = entries.parse_entry(line)
                    self._index.add(key, n, at, len(line))
            at += len(line)

    def count(self, key: bytes) -> int:
        """Return how many entries have this key."""
        return self._index.count(key)

    def find(self, key: bytes, n: int) -> tuple[Response | None, AzmlError | None] | None:
        """Return the response and the error of an entry, None if there is none."""
        place = self._index.find(key, n)
        if place is None:
            return None
        self._file.seek(place[0])
        _, _, response, error = entries.parse_entry(self._file.read(place[1]))
        return response, error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._index.close()

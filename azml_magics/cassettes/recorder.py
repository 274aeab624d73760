"""Writes exchanges to a cassette as they happen."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from typing import TYPE_CHECKING, Literal

from ..core.errors import DocumentError
from ..core.http import recording
from ..core.paths import path_of, write_private
from ..core.text import one_line
from . import active
from .format import exchange_line, heading_line, read_cassette

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.client import AsyncClient, Client
    from ..core.http.exchange import Request
    from ..core.http.recording import RecordedResponse


class CassetteRecorder:
    """Writes every exchange of this process to a cassette, between `start` and `stop` or in a `with` block.

    A file that is a cassette already is continued. If the file cannot be written later (a full disk), responses are
    not affected: one warning is given, and the exchanges are kept in memory and written when that is possible again.

    Args:
        path: The file; its folder is made if needed.
        client: Whose exchanges; None for all of this process.

    Raises:
        DocumentError: The file cannot be written, or is something else than a cassette of this format.

    Attributes:
        path: The file.
        count: How many exchanges have been written.
    """

    replays: Literal[False] = False

    def __init__(self, path: str | Path, client: Client | AsyncClient | None = None) -> None:
        self.path = path_of(path)
        self._client = client
        self.count = 0
        self._lock = threading.Lock()
        self._unwritten: list[bytes] = []
        self._has_warned = False
        self._first_sequence = 0 - recording.next_sequence()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size:
                self._continue()
            else:
                write_private(self.path, heading_line())
        except OSError as error:
            raise self._unwritable(error) from None

    def _continue(self) -> None:
        """Remove a last line that was cut off, and end the last whole one."""
        exchanges, size = read_cassette(self.path)
        self._first_sequence += max((response.sequence for _, response in exchanges), default=-1) + 1
        with self.path.open("rb+") as file:
            file.truncate(size)
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")

    def start(self) -> CassetteRecorder:
        """Record from now on; returns itself."""
        active.activate(self, self._client)
        return self

    def stop(self) -> None:
        """Stop recording, and use again what was in use before.

        Raises:
            DocumentError: Some exchanges could not be written. The recording has stopped all the same.
        """
        active.deactivate(self, self._client)
        with self._lock:
            error = self._write()
        if error is not None:
            raise DocumentError(
                f"{len(self._unwritten)} exchanges are not in {self.path}, which cannot be written: {error.strerror}",
                remedy="Free space or choose another path, and record them again.",
            )

    def __enter__(self) -> CassetteRecorder:
        return self.start()

    def __exit__(self, kind: object, *_error: object) -> None:
        # the error of the block is worth more than that of the file, of which a warning has told
        with contextlib.suppress(DocumentError) if kind is not None else contextlib.nullcontext():
            self.stop()

    def record(self, request: Request, response: RecordedResponse) -> None:
        """Append an exchange, its key masked."""
        try:
            line = exchange_line(request, response, self._first_sequence + response.sequence)
        except (ValueError, TypeError, RecursionError) as error:  # in a request of a user's own formatter
            warnings.warn(f"An exchange could not be recorded: {one_line(str(error), 200)}", stacklevel=2)
            return
        with self._lock:
            self._unwritten.append(line)
            failure = self._write()
            if failure is None or self._has_warned:
                return
            self._has_warned = True
        warnings.warn(f"{self._unwritable(failure)} Until then the exchanges are kept in memory.", stacklevel=2)

    def _write(self) -> OSError | None:
        """Write all lines that are not written yet; return the error that stopped it, or None."""
        try:
            while self._unwritten:
                _append(self.path, self._unwritten[0])
                del self._unwritten[0]
                self.count += 1
        except OSError as error:
            return error
        return None

    def _unwritable(self, error: OSError) -> DocumentError:
        return DocumentError(
            f"{self.path} cannot be written: {error.strerror or error}", remedy="Fix that, or choose another path."
        )


def _append(path: Path, line: bytes) -> None:
    """Write the whole `line` at the end of a file, or nothing."""
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        except OSError:
            file.truncate(before)
            raise

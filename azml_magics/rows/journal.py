"""The journal of a run: a file of JSON lines (entries.py) that has every response before its row counts as done.

Each line is handed to the operating system in one write, so a process that is killed at any moment loses no row that
counted. Once a second the lines are also forced to the disk: a power failure may lose the last second. A killed process
may leave half a line at the end; the next run removes it. Once a second the file's size is checked, too: lines that
are written to a deleted file are lost, so the run ends.

Responses stay in the file. A temporary SQLite database has the offset of each line, so memory does not grow with the
number of rows.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
import warnings
from typing import IO, TYPE_CHECKING, Any, NoReturn

from ..core.errors import JournalError
from ..core.paths import path_of
from . import entries
from .file_lock import try_lock
from .journal_index import JournalIndex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..core.errors import AzmlError
    from ..core.response import Response
    from ..core.secret import Secret

_SYNC_SECONDS = 1.0
_MAX_HEADER = 1 << 24  # bytes
_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows writes \r\n
_NO_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS}  # of blobfuse and of NFS without lockd


class Journal:
    """An open journal, locked for this run. On a file system without locks a warning says so.

    Attributes:
        path: The file.
        skipped: Lines that are not entries; their rows are sent again, as a warning says.
        declared: The settings of an evaluation that have a line.
    """

    def __init__(
        self,
        path: str | Path,
        settings: Mapping[str, Any],
        secrets: Sequence[Secret] = (),
        also: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Open or create the file, and index its lines.

        Args:
            path: The file.
            settings: Everything that responses depend on apart from the rows.
            secrets: The keys, which are masked in everything that is written.
            also: Settings of other runs whose journal is taken, too.

        Raises:
            JournalError: The file cannot be used, is not a journal of this format, or belongs to another run.
        """
        self.path = path_of(path)
        self.skipped = 0
        self.declared: list[dict[str, Any]] = []
        self._also = [entries.header_line(each, secrets) for each in also]
        self._secrets = secrets
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._end = 0  # bytes of whole lines
        self._file = self._open()
        self._index = JournalIndex()
        try:
            self._load(entries.header_line(settings, secrets))
            self._found = len(self._index)
        except BaseException:
            self.close()
            raise
        if self.skipped:
            lines = f"{self.skipped:,} unreadable line{'' if self.skipped == 1 else 's'}"
            _warn(f"The journal {self.path.name!r} has {lines}: rows that it lacks are sent again.")

    def __len__(self) -> int:
        """Return of how many rows it had a response or an error when it was opened."""
        return self._found

    def next_number(self, key: bytes) -> int:
        """Return the number of the next row of the table with this key: 0 for the first of equal ones."""
        return self._index.next_number(key)

    def has(self, key: bytes, n: int, *, with_errors: bool) -> bool:
        """Return whether it had an entry for a row when it was opened.

        Args:
            key: Identifies the row's request.
            n: How many equal rows come before it.
            with_errors: Whether an error counts.
        """
        if with_errors:
            return self._index.find(key, n) is not None
        entry = self.find(key, n)
        return entry is not None and entry[1] is None

    def find(self, key: bytes, n: int) -> tuple[Response | None, AzmlError | None] | None:
        """Return the response and the error that it had for a row when it was opened, None without an entry."""
        place = self._index.find(key, n) if self._found else None
        if place is None:
            return None
        at, size = place
        try:
            with self._lock, self.path.open("rb", buffering=0) as file:
                file.seek(at)
                line = file.read(size)
            _, _, response, error = entries.parse_entry(line)
        except FileNotFoundError:
            raise self._make_loss_error() from None
        except OSError as wrong:
            self._raise_os_error("read", wrong)
        except ValueError:
            raise self._make_loss_error() from None
        return response, error

    def append(self, key: bytes, n: int, response: Response | None, error: BaseException | None) -> bool:
        """Write the line of a row, which is done once this returns True.

        Returns:
            False if the journal is closed.

        Raises:
            JournalError: The file cannot be written, for example because the disk is full, or is no longer there.
        """
        line = entries.entry_line(key, n, response, error, self._secrets)
        with self._lock:
            if self._file < 0:
                return False
            self._write(line)
            is_due = time.monotonic() - self._synced >= _SYNC_SECONDS
            end = self._end
            if is_due:
                self._synced = time.monotonic()
        if is_due:
            with contextlib.suppress(OSError):  # closed meanwhile, or not on a disk, such as a pipe
                os.fsync(self._file)
            if not self._is_in_place(end):
                raise self._make_loss_error()
        return True

    def declare(self, settings: Mapping[str, Any], label: Mapping[str, Any]) -> None:
        """Write the line of a setting of an evaluation, unless the journal has it.

        Args:
            settings: Everything that its responses depend on apart from the rows.
            label: What sets it apart from others.
        """
        line = entries.setting_line(settings, label, self._secrets)
        found = entries.parse_setting(line)
        if found is not None and found[0] not in self.declared:
            self.declared.append(found[0])
            with self._lock:
                self._write(line)

    def close(self) -> None:
        """Force everything to the disk and release the lock. Warn if the file is gone. A second call does nothing."""
        with self._lock:
            file, self._file = self._file, -1
        if file < 0:
            return
        with contextlib.suppress(OSError):
            os.fsync(file)
        is_in_place = self._is_in_place(self._end)
        os.close(file)
        self._index.close()
        if not is_in_place:
            _warn(str(self._make_loss_error()))

    # ---- the file

    def _is_in_place(self, end: int) -> bool:
        """Return whether the path still leads to a file with everything that was written, `end` bytes at least.

        The number of its inode would not tell: FUSE gives a file another one now and then.
        """
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        except OSError:  # unknown
            return True
        return there.st_size >= end or not stat.S_ISREG(there.st_mode)

    def _make_loss_error(self) -> JournalError:
        return JournalError(
            f"The journal {self.path.name!r} was deleted or replaced while a run used it",
            remedy="The results have the responses that arrived; another run sends the rows that the file lacks.",
            error_code="journal-lost",
        )

    def _open(self) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
        except OSError as error:
            self._raise_os_error("opened", error)
        try:
            if try_lock(file):
                return file
        except OSError as error:
            if error.errno in _NO_LOCKS:
                _warn(
                    f"The file system of the journal {self.path.name!r} has no locks. "
                    "Make sure that no other run writes to it."
                )
                return file
            os.close(file)
            self._raise_os_error("locked", error)
        os.close(file)
        raise JournalError(
            f"Another run has the journal {self.path.name!r} open",
            remedy=f"Wait until it ends, or interrupt it. {entries.OTHER_FILE}",
        )

    def _raise_os_error(self, participle: str, error: OSError) -> NoReturn:
        why = error.strerror or str(error)
        remedy = entries.OTHER_FILE
        if error.errno == errno.ENOSPC:
            remedy = "Free some space and run again: the responses so far are kept."
        raise JournalError(f"The journal {str(self.path)!r} cannot be {participle}: {why}", remedy=remedy) from error

    def _load(self, header: bytes) -> None:
        """Check the first line, or write it; then index the others."""
        try:
            with self.path.open("rb") as file:
                line = file.readline(_MAX_HEADER)
                is_begun = line.startswith(entries.HEADER_START) or entries.HEADER_START.startswith(line)
                if is_begun and not line.endswith(b"\n"):  # new, or its run was killed before its first row
                    os.ftruncate(self._file, 0)
                    self._write(header)
                    return
                entries.check_header(self.path, line, header, self._also)
                self._end = len(line)
                self._index_lines(file)
        except OSError as error:
            self._raise_os_error("read", error)

    def _index_lines(self, file: IO[bytes]) -> None:
        for line in file:
            at, is_whole = self._end, line.endswith(b"\n")
            if is_whole and (declared := entries.parse_setting(line)) is not None:
                self.declared.append(declared[0])
                self._end += len(line)
                continue
            try:
                key, n, *_ = entries.parse_entry(line)
            except ValueError:
                if not is_whole:  # its row never counted
                    os.ftruncate(self._file, at)
                    return
                self.skipped += 1
            else:
                self._index.add(key, n, at, len(line))
            self._end += len(line)
            if not is_whole:
                self._write(b"\n")
                return  # the loop would read it as another line

    def _write(self, data: bytes) -> None:
        """Append all of `data`, or leave the file as it was."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            self._raise_os_error("written", error)
        self._end += len(data)


def _warn(message: str) -> None:
    """Show a warning in every run, without the place of this code, which says nothing to a user."""
    warnings.warn_explicit(message, UserWarning, filename="azml_magics", lineno=1)

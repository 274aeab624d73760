"""The journal of a run: every answer on disk, as a line of JSON, before it counts.

The first line says what is asked; a line follows for every row that has an answer or an error, in the order in which
they came. A line is handed to the operating system in one write before its row counts as done: a process that is
killed at any moment loses none of them. Once a second they are forced to the disk itself, too: a power cut may take
the last second's. A killed process may leave half a line at the end: the next run takes it off.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
import time
from typing import IO, TYPE_CHECKING, Any, NoReturn

from ..core.errors import JournalError
from ..core.paths import path_of
from ..core.redaction import redact_data
from ..core.text import one_line
from ..core.wire.base import to_json
from . import entries, lock
from .index import Index, Kept

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..core.errors import AzmlError
    from ..core.keys import Secret
    from ..core.response import Response

_FORMAT = "azml_magics_journal"
_BEGINNING = b'{"azml_magics_journal":'
_VERSION = 1
_SYNC_SECONDS = 1.0
_LONGEST_HEADER = 1 << 24
_ELSEWHERE = "Choose another file for the journal."
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write \r\n
_DIFFERENCE = 24  # so many characters are shown around the first that differs


class Journal:
    """An open journal, ours alone. JournalError where it cannot be, or is the journal of another run.

    asks: what the run asks, as data. secret: the key to mask in what is written.
    """

    def __init__(self, path: str | Path, asks: Mapping[str, Any], secret: Secret | None = None) -> None:
        self.path = path_of(path)
        self.skipped = 0  # lines that could not be read; their rows are asked again
        self._secret = secret
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._end = 0
        self._index = Index()  # of what it held when it was opened: no run asks for a row twice
        self._held = 0
        try:
            self._file = self._opened()
        except BaseException:
            self._index.close()
            raise
        try:
            self._read(asks)
            self._held = len(self._index)
        except BaseException:
            self.close()
            raise

    def _opened(self) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)
        except OSError as error:
            self._cannot("opened", error)
        try:
            if lock.try_lock(file):
                return file
        except OSError as error:
            os.close(file)
            self._cannot("locked", error)
        os.close(file)
        raise JournalError(
            f"Another run has the journal {self.path.name!r} open", remedy=f"Let it end, or interrupt it. {_ELSEWHERE}"
        )

    def _cannot(self, be: str, error: OSError) -> NoReturn:
        why = error.strerror or str(error)
        remedy = "Free some space and run again: what it holds is kept." if error.errno == errno.ENOSPC else _ELSEWHERE
        raise JournalError(f"The journal {str(self.path)!r} cannot be {be}: {why}", remedy=remedy) from error

    # ---- what it held

    def _read(self, asks: Mapping[str, Any]) -> None:
        """Check what it holds, index every line, and mend its end."""
        header = to_json({_FORMAT: _VERSION, "asks": redact_data(dict(asks), self._secret)}) + b"\n"
        try:
            with self.path.open("rb") as file:
                line = file.readline(_LONGEST_HEADER)
                is_begun = line.startswith(_BEGINNING) or _BEGINNING.startswith(line)
                if is_begun and not line.endswith(b"\n"):  # new, or its run was killed before its first row
                    os.ftruncate(self._file, 0)
                    self._write(header)
                    return
                self._check(line, json.loads(header)["asks"])
                self._end = len(line)
                self._index_lines(file)
        except OSError as error:
            self._cannot("read", error)

    def _check(self, line: bytes, asks: Mapping[str, Any]) -> None:
        try:
            found = json.loads(line)
            version, earlier = found[_FORMAT], dict(found["asks"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise JournalError(f"{str(self.path)!r} is no journal of rows", remedy=_ELSEWHERE) from None
        if version != _VERSION:
            raise JournalError(
                f"The journal {self.path.name!r} is of another version of azml-magics", remedy=_ELSEWHERE
            )
        differences = _differences(earlier, asks)
        if differences:
            raise JournalError(
                f"{self.path.name!r} is the journal of another run: {'; '.join(differences)}",
                remedy=f"{_ELSEWHERE} Or ask as it did.",
            )

    def _index_lines(self, file: IO[bytes]) -> None:
        for line in file:
            at, is_whole = self._end, line.endswith(b"\n")
            try:
                key, n, *_ = entries.loaded(line)
            except ValueError:
                if not is_whole:  # its row never counted
                    os.ftruncate(self._file, at)
                    return
                self.skipped += 1
            else:
                self._index.put(key, n, Kept(at, len(line)))
            self._end += len(line)
            if not is_whole:
                self._write(b"\n")

    # ---- what a run asks of it

    def __len__(self) -> int:
        """Of how many rows it had an answer or an error when it was opened."""
        return self._held

    def number(self, key: bytes) -> int:
        """The number of the next row of the table with this key: 0 for the first of equal ones."""
        return self._index.number(key)

    def has(self, key: bytes, n: int, *, with_errors: bool) -> bool:
        """Whether it held an answer for that row when it was opened; an error counts `with_errors`."""
        if with_errors:
            return self._index.get(key, n) is not None
        found = self.find(key, n)
        return found is not None and found[1] is None

    def find(self, key: bytes, n: int) -> tuple[Response | None, AzmlError | None] | None:
        """(response, error) that it held for that row when it was opened; None where there was nothing."""
        kept = self._index.get(key, n) if self._held else None
        if kept is None:
            return None
        try:
            with self._lock, self.path.open("rb", buffering=0) as file:
                file.seek(kept.at)
                line = file.read(kept.size)
            _, _, response, error = entries.loaded(line)
        except OSError as wrong:
            self._cannot("read", wrong)
        except ValueError:
            raise JournalError(f"The journal {self.path.name!r} was changed while a run used it") from None
        return response, error

    def keep(self, key: bytes, n: int, response: Response | None, error: BaseException | None) -> bool:
        """Write the row's line; when this returns True, the row is done. False where the journal is closed by now.

        JournalError where it cannot be written.
        """
        line = entries.dumped(key, n, response, error, self._secret)
        with self._lock:
            if self._file < 0:
                return False
            self._write(line)
            is_due = time.monotonic() - self._synced >= _SYNC_SECONDS
            if is_due:
                self._synced = time.monotonic()
        if is_due:
            self._sync()
        return True

    def _write(self, data: bytes) -> None:
        """Append `data` whole, or leave the file as it was."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            self._cannot("written", error)
        self._end += len(data)

    def _sync(self) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile, or a file that has no disk, such as a pipe
            os.fsync(self._file)

    def close(self) -> None:
        """Force it to the disk and let others have it. A second time nothing happens."""
        with self._lock:
            file, self._file = self._file, -1
        if file < 0:
            return
        with contextlib.suppress(OSError):
            os.fsync(file)
        os.close(file)
        self._index.close()


def _differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is asked in another way, a phrase each."""
    return [
        _difference(name, earlier.get(name), now.get(name))
        for name in dict.fromkeys([*earlier, *now])
        if earlier.get(name) != now.get(name)
    ]


def _difference(name: str, earlier: Any, now: Any) -> str:
    """ "temperature was 0.2 and is 0.7"; of long texts only the place where they part."""
    was, is_now = (value if isinstance(value, str) else json.dumps(value) for value in (earlier, now))
    if earlier is None or now is None:
        return f"there {'is' if earlier is None else 'was'} {name} {one_line(is_now if earlier is None else was, 60)!r}"
    same = next((at for at, pair in enumerate(zip(was, is_now)) if pair[0] != pair[1]), min(len(was), len(is_now)))  # noqa: B905 - of two lengths
    start = max(0, same - _DIFFERENCE)
    shown = [
        ("…" if start else "")
        + one_line(text[start : same + _DIFFERENCE], 80)
        + ("…" if len(text) > same + _DIFFERENCE else "")
        for text in (was, is_now)
    ]
    return f"{name} was {shown[0]!r} and is {shown[1]!r}"

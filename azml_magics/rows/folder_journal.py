"""The journal of a run whose parts are sent by several processes, in any order and as often as they like: a folder.

Every process writes files of its own there and reads those of all. So no lock is needed, whatever the file system, and
a row is found again in whatever part it is next time. Equal rows of different parts may share a response.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ..core.errors import JournalError
from . import entries
from .journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..core.errors import AzmlError
    from ..core.response import Response
    from ..core.secret import Secret

_PATTERN = "part-*.jsonl"
_indexes: dict[tuple[str, bytes], _Index] = {}  # a process of a cluster has many parts, and no object that outlives one
_making = threading.Lock()


def make_folder(folder: Path, reader: str) -> None:
    """Make the folder of a journal.

    Args:
        folder: Its path.
        reader: Who has to reach it, such as "worker".

    Raises:
        JournalError: It cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise JournalError(
            f"The journal {str(folder)!r} cannot be a folder: {error.strerror or error}",
            remedy=f"On a cluster a journal is a folder that every {reader} can reach; choose another name.",
        ) from error


class FolderJournal:
    """The journal of one part, open for a run. It takes the place of a Journal."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], secrets: Sequence[Secret] = ()) -> None:
        """Read what the folder's files have got since this process read them last.

        Args:
            folder: The journal.
            settings: Everything that responses depend on apart from the rows.
            secrets: The keys, which are masked in everything that is written.

        Raises:
            JournalError: A file cannot be read, or belongs to another run.
        """
        self.path = folder
        self._settings, self._secrets = settings, secrets
        header = entries.header_line(settings, secrets)
        with _making:
            self._index = _indexes.setdefault((str(folder), header), _Index(folder, header))
        self._index.refresh()
        self._own: Journal | None = None
        self._numbers: dict[bytes, int] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._index.places)

    def next_number(self, key: bytes) -> int:
        """Return the number of the next row of this part with this key: 0 for the first of equal ones."""
        number = self._numbers.get(key, 0)
        self._numbers[key] = number + 1
        return number

    def find(self, key: bytes, n: int) -> tuple[Response | None, AzmlError | None] | None:
        """Return the response and the error of a row, None without an entry."""
        return self._index.find(key, n)

    def append(self, key: bytes, n: int, response: Response | None, error: BaseException | None) -> bool:
        """Write the line of a row into this part's own file; False if the journal is closed.

        Raises:
            JournalError: The file cannot be written.
        """
        with self._lock:
            if self._is_closed:
                return False
            if self._own is None:
                name = f"part-{uuid.uuid4().hex[:12]}.jsonl"
                self._own = Journal(self.path / name, self._settings, self._secrets)
            own = self._own
        return own.append(key, n, response, error)

    def close(self) -> None:
        """Force everything to the disk. A second call does nothing."""
        with self._lock:
            self._is_closed = True
            own, self._own = self._own, None
        if own is not None:
            own.close()


class _Index:
    """Where the entries of a folder's files are.

    Attributes:
        places: For each row its file, its offset, its size, and whether it has an error.
    """

    def __init__(self, folder: Path, header: bytes) -> None:
        self._folder, self._header = folder, header
        self._read: dict[Path, int] = {}  # file -> bytes that were read
        self._lock = threading.Lock()
        self.places: dict[tuple[bytes, int], tuple[Path, int, int, bool]] = {}

    def refresh(self) -> None:
        """Read what is new. A line that is being written is left for the next time."""
        with self._lock:
            files = sorted(self._folder.glob(_PATTERN))
            for gone in self._read.keys() - set(files):
                del self._read[gone]
                self.places = {row: place for row, place in self.places.items() if place[0] != gone}
            try:
                for path in files:
                    self._read_file(path)
            except OSError as error:
                raise JournalError(
                    f"The journal {str(self._folder)!r} cannot be read: {error.strerror or error}",
                    remedy=entries.OTHER_FILE,
                ) from error

    def _read_file(self, path: Path) -> None:
        at = self._read.get(path, 0)
        with path.open("rb") as file:
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if at == 0:
                    entries.check_header(self._folder, line, self._header)
                else:
                    self._add(path, at, line)
                at += len(line)
                self._read[path] = at

    def _add(self, path: Path, at: int, line: bytes) -> None:
        with contextlib.suppress(ValueError):  # a line that is none: its row is sent again
            key, n, _, error = entries.parse_entry(line)
            known = self.places.get((key, n))
            if known is None or known[3]:  # a response stays, whatever else another file has
                self.places[key, n] = (path, at, len(line), error is not None)

    def find(self, key: bytes, n: int) -> tuple[Response | None, AzmlError | None] | None:
        """Return the response and the error of a row, None without an entry."""
        place = self.places.get((key, n))
        if place is None:
            return None
        path, at, size, _ = place
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(at)
                *_, response, error = entries.parse_entry(file.read(size))
        except (OSError, ValueError):  # it was deleted or replaced meanwhile: the row is sent again
            return None
        return response, error

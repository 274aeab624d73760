"""Exchanges kept in a file, so that a notebook runs again without a network, a key or a bill.

record(path) writes every exchange of this process to a cassette, replay(path) answers from one; cassette_format.py
says how they are written. Keys are never in it.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import DocumentError, NotRecordedError
from ..core.http import recording
from ..core.paths import path_of
from ..core.text import one_line
from . import format as form

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.http.exchange import Request
    from ..core.http.recording import RecordedResponse

_MOST_DIFFERENCES = 3  # that are said
_LONGEST_SHOWN = 60
_BEFORE = 16  # characters that two texts have in common, shown before they part


class Recorder:
    """Writes every exchange to a cassette as it happens; an existing one is continued.

    `count` is how many it has written. DocumentError where the file cannot be written or is no cassette. Where it
    cannot be written later on (a full disk), the answer goes its way all the same: the person is warned once, and the
    exchanges are kept and written as soon as that goes again.
    """

    replays: Literal[False] = False

    def __init__(self, path: str | Path) -> None:
        self.path = path_of(path)
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
                self.path.write_bytes(form.heading())
        except OSError as error:
            raise self._unwritable(error) from None

    def _continue(self) -> None:
        """Take a torn last line off, and end the last whole one, so that the next begins on its own."""
        entries, filled = form.read(self.path)
        self._first_sequence += max((take.sequence for _, take in entries), default=-1) + 1
        with self.path.open("rb+") as file:
            file.truncate(filled)
            file.seek(filled - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")

    def record(self, request: Request, take: RecordedResponse) -> None:
        """Append the exchange, its key masked."""
        try:
            line = form.exchange(request, take, self._first_sequence + take.sequence)
        except (ValueError, TypeError, RecursionError) as error:  # of a formatter of the person's own
            warnings.warn(f"An exchange could not be recorded: {one_line(str(error), 200)}", stacklevel=2)
            return
        with self._lock:
            self._unwritten.append(line)
            failure = self._write()
            if failure is None or self._has_warned:
                return
            self._has_warned = True
        warnings.warn(f"{self._unwritable(failure)} Until then the exchanges are kept in memory.", stacklevel=2)

    def close(self) -> None:
        """Write what could not be written before; DocumentError where it still cannot."""
        with self._lock:
            error = self._write()
        if error is not None:
            raise DocumentError(
                f"{len(self._unwritten)} exchanges are not in {self.path}, which cannot be written: {error.strerror}",
                remedy="Free space or choose another path, and record them again.",
            )

    def _write(self) -> OSError | None:
        """All that is not yet written, each line in one go; the error that stopped it."""
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
            f"{self.path} cannot be written: {error.strerror or error}", remedy="Mend that, or choose another path."
        )


def _append(path: Path, line: bytes) -> None:
    """Write `line` at the end of a file, or nothing at all."""
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        except OSError:
            file.truncate(before)
            raise


class Player:
    """Answers from a cassette. The same request asked again gets the next answer recorded for it, in turn,
    and after the last one the first again. An answer that was left early counts only where there is no whole one.

    Raises NotRecordedError, with the nearest recorded request, or DocumentError if the file is not a cassette.
    """

    replays: Literal[True] = True

    def __init__(self, path: str | Path) -> None:
        self.path = path_of(path)
        self._lock = threading.Lock()
        self._takes: dict[str, list[RecordedResponse]] = defaultdict(list)
        self._next: dict[str, int] = defaultdict(int)
        entries, _ = form.read(self.path)
        self._count = len(entries)
        self._questions: dict[str, dict[str, Any]] = {}
        for question, take in entries:
            digest = form.digest(question)
            self._questions[digest] = question
            self._takes[digest].append(take)
        self._masked = {digest: known for digest, known in self._questions.items() if form.has_mask(known)}
        for digest, takes in self._takes.items():
            takes.sort(key=lambda take: take.sequence)
            self._takes[digest] = [take for take in takes if take.is_complete] or takes

    def __len__(self) -> int:
        return self._count

    def replay(self, request: Request) -> RecordedResponse:
        """The recorded reply."""
        question = form.asked(request)
        digest = form.digest(question)
        if digest not in self._questions:
            alike = (other for other, known in self._masked.items() if form.is_alike(known, question))
            digest = next(alike, "")
        if not digest:
            raise NotRecordedError(
                f"{self.path.name} has no answer for this request to {question['path']}: {self._nearest(question)}",
                remedy="Record it (%azureml record FILE), or end the replay (%azureml stop-recording).",
            )
        with self._lock:
            takes = self._takes[digest]
            take = takes[self._next[digest] % len(takes)]
            self._next[digest] += 1
        return take

    def _nearest(self, question: dict[str, Any]) -> str:
        """How the nearest recorded request differs, in words."""
        if not self._questions:
            return "it is empty"
        found = min((list(form.differences(question, known)) for known in self._questions.values()), key=len)
        said = [f"{where} (asked {one}, recorded {other})" for where, one, other in map(_apart, found)]
        more = f" and {len(said) - _MOST_DIFFERENCES} more" if len(said) > _MOST_DIFFERENCES else ""
        return f"the nearest one differs in {', '.join(said[:_MOST_DIFFERENCES])}{more}"


def _apart(difference: tuple[str, Any, Any]) -> tuple[str, str, str]:
    """A difference in short: of two long texts what begins shortly before the place where they part."""
    where, *values = difference
    one, other = ("nothing" if value is ... else json.dumps(value, ensure_ascii=False) for value in values)
    alike = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    start = alike - _BEFORE if alike > _BEFORE else 0
    one, other = (one_line(f"{'…' if start else ''}{text[start:]}", _LONGEST_SHOWN) for text in (one, other))
    return where, one, other


def record(path: str | Path) -> Recorder:
    """Write every exchange of this process to the cassette at `path` from now on; ends what was going on before."""
    recorder = Recorder(path)
    _insert(recorder)
    return recorder


def replay(path: str | Path) -> Player:
    """Answer every request of this process from the cassette at `path` from now on; ends what was going on before."""
    player = Player(path)
    _insert(player)
    return player


def stop() -> None:
    """End recording or replaying; nothing happens where neither goes on.

    DocumentError where a recorder could not write all that it was told; the recording has ended all the same.
    """
    _insert(None)


def _insert(following: Recorder | Player | None) -> None:
    ended = recording.current()
    recording.use(following)
    if isinstance(ended, Recorder):
        ended.close()

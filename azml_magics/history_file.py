"""The history file: every exchange as a line of JSON, so that a history outlives its kernel.

    {"azml_exchange": 1, "id": "4f0c…", "recorded_at": "2026-03-01T09:30:00+00:00", "name": "prod", "config": {…},
     "messages": […], "response": {…}, "error": {…}}
    {"azml_note": 1, "id": "4f0c…", "notes": {"rating": "good"}}

The panel writes an exchange twice, when it is sent and when its response is there; the last line counts.
Several kernels may append to one file: each line is one write at its end. Known keys are masked; pictures and other
long parts of messages are left out. The file is readable by its owner only. When it is full it becomes PATH.1, in place
of an earlier PATH.1, and a new file is begun.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import stat
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .core.errors import ConfigError
from .core.paths import path_of
from .core.redaction import redact_data
from .exchange_data import VERSION, cut_long_texts, exchange_from_dict, exchange_to_dict, known_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from .core.config import LLMConfig
    from .exchange import Exchange

MAX_BYTES = 10 * 1024 * 1024
_MAX_NAMED = 5  # damaged lines in a message
_MARKER = re.compile(rb'^{"azml_(?:exchange|note)":', re.MULTILINE)
_STALE_SECONDS = 60  # after which the marker of a rotation belongs to a killed process
_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows writes \r\n


class HistoryFile:
    """A history file.

    Args:
        path: The file; it and its folder are made when first needed.
        max_bytes: The size at which it is rotated.
        warn: Called with each line that the user should see; by default it is logged.

    Attributes:
        path: The absolute path.

    Raises:
        ConfigError: The path leads to something else than a history file, or to one that cannot be read.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int = MAX_BYTES, warn: Callable[[str], object] | None = None
    ) -> None:
        self.path = path_of(path).absolute()
        self._older = self.path.with_name(f"{self.path.name}.1")
        self._max_bytes = max_bytes
        self._warn = warn or logging.getLogger(__name__).warning
        self._lock = threading.Lock()
        self._problem = ""  # the last one that was said
        self._check()

    def append(self, exchange: Exchange) -> None:
        """Write an exchange to the end of the file. A failure is reported once and raises nothing."""
        self._write(lambda: exchange_to_dict(exchange), exchange.config)

    def append_notes(self, exchange: Exchange, notes: Mapping[str, Any]) -> None:
        """Write the notes of an exchange that the file has; later notes of a name replace earlier ones."""
        line = {"azml_note": VERSION, "id": exchange.id, "notes": dict(notes)}
        self._write(lambda: line, exchange.config)

    def read(self, limit: int | None = None) -> list[Exchange]:
        """Return the exchanges in the file and in the one before it, oldest first, numbered up to 0.

        Lines that cannot be read are skipped and said.

        Args:
            limit: The largest number of exchanges, the newest ones; None for all.
        """
        found: dict[str, Exchange] = {}
        notes: dict[str, dict[str, Any]] = {}
        for path in (self._older, self.path):
            damaged = []
            for number, line in enumerate(self._lines(path), 1):
                if not line.strip():
                    continue
                try:
                    _read_line(line, found, notes)
                except ValueError:
                    damaged.append(number)
            if damaged:
                self._warn(_describe_damage(path, damaged))
        everything = list(found.values())
        newest = everything if limit is None else everything[max(len(everything) - limit, 0) :]
        numbered = enumerate(newest, 1 - len(newest))
        return [replace(each, number=number, notes=notes.get(each.id, {})) for number, each in numbered]

    # ---- the file

    def _check(self) -> None:
        """Raise ConfigError if the path is a file of another kind."""
        remedy = "Choose another path for the history."
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):  # writing to a pipe would block
                raise ConfigError(f"{self.path} is not a file", remedy=remedy)
            if not _is_history(self.path):
                raise ConfigError(f"{self.path} is not a history file, and it is not changed", remedy=remedy)
        except FileNotFoundError:
            return
        except ConfigError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise ConfigError(f"{str(self.path)!r} cannot be read: {_reason(error)}", remedy=remedy) from None

    def _lines(self, path: Path) -> list[bytes]:
        try:
            return path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            self._warn(f"The history file {path} cannot be read: {_reason(error)}.")
            return []

    def _write(self, make_entry: Callable[[], dict[str, Any]], config: LLMConfig) -> None:
        with self._lock:
            try:
                entry = redact_data(cut_long_texts(make_entry()), *known_secrets(config))
                line = json.dumps(entry, separators=(",", ":"), default=str).encode() + b"\n"
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._rotate(len(line))
                self._append_bytes(line)
                problem = ""
            except Exception as error:  # noqa: BLE001 - whatever a message holds, its response must not be lost
                problem = _reason(error)
            is_news, self._problem = problem not in ("", self._problem), problem
        if is_news:
            self._warn(
                f"The history file {self.path} cannot be written: {problem}. The history is kept in this kernel only."
            )

    def _append_bytes(self, line: bytes) -> None:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
        try:
            end = os.lseek(file, 0, os.SEEK_END)
            if end and (os.lseek(file, end - 1, os.SEEK_SET), os.read(file, 1))[1] != b"\n":
                line = b"\n" + line  # a full disk or a killed process has left half a line
            written = os.write(file, line)
            if written < len(line):
                raise OSError("the disk is full")
        finally:
            os.close(file)

    def _rotate(self, size: int) -> None:
        """Begin a new file if this one would become too large. Of several kernels one does it."""
        if self._size() + size <= self._max_bytes or not self._size():
            return
        marker = self.path.with_name(f"{self.path.name}.rotating")
        with contextlib.suppress(OSError):
            if time.time() - marker.stat().st_mtime > _STALE_SECONDS:
                marker.rmdir()
        try:
            marker.mkdir()
        except FileExistsError:  # another kernel does it at this moment
            return
        try:
            if self._size() + size <= self._max_bytes:
                return
            had_older = self._older.exists()
            os.replace(self.path, self._older)  # noqa: PTH105 - Path.replace is the same call
        except PermissionError:  # Windows, while another kernel has it open: the next exchange tries again
            return
        finally:
            marker.rmdir()
        deleted = " The file of that name, with still older ones, is deleted." if had_older else ""
        self._warn(f"The history file is full: its exchanges are now in {self._older}, and a new one begins.{deleted}")

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


# ---- lines


def _read_line(line: bytes, found: dict[str, Exchange], notes: dict[str, dict[str, Any]]) -> None:
    """Add what a line holds to `found` or `notes`. Raises ValueError if it is not a line of a history file."""
    try:
        data = json.loads(line)
    except RecursionError:
        raise ValueError("not JSON") from None
    if isinstance(data, dict) and "azml_note" in data:
        if not (isinstance(data.get("id"), str) and isinstance(data.get("notes"), dict)):
            raise ValueError("not a note")
        notes.setdefault(data["id"], {}).update(data["notes"])
    elif isinstance(data, dict):
        exchange = exchange_from_dict(data)
        found.pop(exchange.id, None)  # the line that said that it was sent
        found[exchange.id] = exchange
    else:
        raise ValueError("not an exchange")


def _is_history(path: Path) -> bool:
    """Whether a file is empty, or one of its first lines is of a history file."""
    with path.open("rb") as file:
        start = file.read(64 * 1024)
    return not start.strip() or _MARKER.search(start) is not None


def _describe_damage(path: Path, numbers: Iterable[int]) -> str:
    listed = list(numbers)
    more = f" and {len(listed) - _MAX_NAMED} more" if len(listed) > _MAX_NAMED else ""
    lines = f"line{'s' if len(listed) > 1 else ''} {', '.join(map(str, listed[:_MAX_NAMED]))}{more}"
    return f"The history file {path}: {lines} cannot be read and {'are' if len(listed) > 1 else 'is'} skipped."


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

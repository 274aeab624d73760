"""What the user said that may be sent, and the file that remembers it: trust.json in the user's folder."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .paths import is_own, user_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LARGEST_FILE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Grant:
    """What the user is asked to trust.

    Attributes:
        file: The file of the config.
        name: The config's name.
        host: The host that it sends to, with the port unless that is the scheme's own.
        keys: The references to the keys that it sends, in whatever header; sorted.
        network: How the file changes the connection: "verify=…", "proxy=…", "allow_http"; sorted.
    """

    file: str
    name: str
    host: str
    keys: tuple[str, ...]
    network: tuple[str, ...] = ()

    def __str__(self) -> str:
        keys = " and ".join(key.removeprefix("env:") for key in self.keys)
        how = f" ({', '.join(self.network)})" if self.network else ""
        return f"{self.name or 'A config'} of {_shown(self.file)} sends {keys} to {self.host}{how}"


def _path() -> Path | None:
    folder = user_folder()
    return None if folder is None else folder / "trust.json"


def read_grants() -> set[Grant]:
    """Return the grants in the user's file; what cannot be read grants nothing."""
    path = _path()
    try:
        if path is None or not is_own(path) or path.stat().st_size > _LARGEST_FILE:
            return set()
        return set(_parse(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, RecursionError):
        return set()


def _parse(data: Any) -> Iterable[Grant]:
    for each in data.get("trusted", ()) if isinstance(data, dict) else ():
        with contextlib.suppress(KeyError, TypeError):
            yield _grant_from(each)


def _grant_from(entry: Mapping[str, Any]) -> Grant:
    file, name, host = (str(entry[field]) for field in ("file", "name", "host"))
    return Grant(file, name, host, tuple(map(str, entry["keys"])), tuple(map(str, entry["network"])))


def write_grants(grants: set[Grant]) -> None:
    """Write the file, readable by its owner only. Without a home folder the session alone remembers."""
    path = _path()
    if path is None:
        return
    entries = [asdict(each) for each in sorted(grants, key=lambda each: (each.file, each.name, each.host, each.keys))]
    temporary = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".trust.")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"trusted": entries}, file, indent=2)
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace is the same call with its arguments in reverse
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)


def _shown(file: str) -> str:
    """Return the path as short as it may be: from the working folder where the file is in it."""
    try:
        return f"./{Path(file).relative_to(Path.cwd().resolve())}"
    except (OSError, ValueError):
        return file

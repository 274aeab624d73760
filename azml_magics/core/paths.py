"""Paths as users write them: `~` is the home folder."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import DocumentError

_IS_WINDOWS = os.name == "nt"


def path_of(path: str | Path) -> Path:
    """Return the path with `~` expanded.

    Raises:
        DocumentError: `~NAME` names a user that does not exist.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DocumentError(f"{path} cannot be found: {error}", remedy="Check the path.") from None


def is_folder(path: str | Path) -> bool:
    """Return whether there is a folder of that name."""
    try:
        return path_of(path).is_dir()
    except (DocumentError, OSError, ValueError):  # reading it as a file says what is wrong with it
        return False


def write_private(path: Path, content: bytes) -> None:
    """Write a file that holds prompts, responses or configs. A new one is readable by its owner only.

    Raises:
        OSError: It cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def user_folder() -> Path | None:
    """Return the folder "azml" in XDG_CONFIG_HOME, on Windows in APPDATA, or else in ~/.config; None without a home."""
    base = os.environ.get("XDG_CONFIG_HOME") or (os.environ.get("APPDATA") if _IS_WINDOWS else "")
    try:
        return (Path(base) if base else Path.home() / ".config") / "azml"
    except RuntimeError:
        return None


def is_own(path: Path) -> bool:
    """Return whether the file or folder belongs to this user, or to root, who can do anything anyway.

    Raises:
        OSError: There is no such file.
    """
    getuid = getattr(os, "getuid", None)  # Windows has no owners of this kind
    return getuid is None or path.stat().st_uid in {getuid(), 0}

"""Paths as users write them: `~` is the home folder."""

from __future__ import annotations

from pathlib import Path

from .errors import DocumentError


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

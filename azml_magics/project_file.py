"""Where a project's settings are: the table [tool.azml_magics] in the nearest pyproject.toml."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from .core import trust
from .core.paths import is_own

_TABLE = re.compile(rb"^[ \t]*\[tool\.azml_magics[\].]", re.MULTILINE)


def find_project_file() -> Path | None:
    """Return the nearest pyproject.toml with our table, from the working folder up to the project's root.

    The root is the first folder with a .git, or else the home folder. The search also ends at a folder or file of
    another user (root apart), who could plant one above a shared folder.
    """
    try:
        folder = Path.cwd()
    except OSError:  # the folder does not exist any more
        return None
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        with contextlib.suppress(OSError):  # there is none, or it cannot be read
            if _TABLE.search(path.read_bytes()):
                return path
        if _is_root(place):
            return None
    return None


def may_be_read(path: Path) -> bool:
    """Return whether the file and its folder belong to this user, or AZML_TRUSTED_FILES names the file."""
    return trust.is_trusted_file(path) or (is_own(path.parent) and is_own(path))


def _is_root(folder: Path) -> bool:
    """Whether nothing above `folder` belongs to the project."""
    try:
        return (folder / ".git").exists() or folder == Path.home() or not is_own(folder)
    except (OSError, RuntimeError):
        return True

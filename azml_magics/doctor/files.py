"""The files that are read at start-up, and whether the folder of kept configs can be written to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from azml_magics import kept_configs
from azml_magics.project_file import find_project_file, may_be_read

from .report import Fact, shorten_home

if TYPE_CHECKING:
    from pathlib import Path


def find_files() -> list[Fact]:
    """Return the project's settings, the kept configs and their folder."""
    kept = kept_configs.kept_files()
    return [
        _project(),
        _folder(kept_configs.config_folder()),
        *(Fact("kept config", shorten_home(path)) for path in kept),
    ]


def _project() -> Fact:
    name = "project settings"
    path = find_project_file()
    if path is None:
        return Fact(name, "none in the folders above this one")
    return Fact(name, shorten_home(path) if may_be_read(path) else f"{shorten_home(path)}, another user's: not read")


def _folder(folder: Path | None) -> Fact:
    name = "config folder"
    if folder is None:
        return Fact(
            name, "none: there is no home folder", "There is no home folder, so configs cannot be kept.", _OTHER_FOLDER
        )
    existing = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if os.access(existing, os.W_OK):
        return Fact(name, f"{shorten_home(folder)}{'' if folder.exists() else ', made when a config is kept'}")
    return Fact(
        name,
        f"{shorten_home(folder)}, read-only",
        f"{shorten_home(existing)} is read-only, so configs cannot be kept.",
        _OTHER_FOLDER,
    )


_OTHER_FOLDER = "Set XDG_CONFIG_HOME to a folder that you can write to."

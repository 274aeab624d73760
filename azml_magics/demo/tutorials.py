"""The tutorials: where they are, and copies of them to work in."""

from __future__ import annotations

import shutil
from pathlib import Path

QUICKSTART = "01_quickstart.ipynb"
COPY = Path("azml-magics-notebooks")  # in the folder where --lab is run


def find_tutorials() -> Path:
    """Return the folder of the tutorials: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


def copy_tutorials() -> None:
    """Copy the notebooks and cassettes; existing files are kept, because the user may have changed them."""
    source = find_tutorials()
    for path in sorted([*source.glob("*.ipynb"), *source.glob("cassettes/*")]):
        copy = COPY / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)  # without its mode: an installed file may be read-only

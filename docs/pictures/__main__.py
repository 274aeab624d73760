"""Take the pictures: python -m docs.pictures [NAME ...] [--folder FOLDER]."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import tutorial
from .scenes import SCENES

IMAGES = Path(__file__).parents[1] / "images"


def main() -> None:
    """Take the pictures that the command line names, by default all of them."""
    parser = argparse.ArgumentParser(prog="python -m docs.pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"a picture: {', '.join(SCENES)}; default: all")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where they are written; default: docs/images")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in SCENES]:
        parser.error(f"there is no picture {unknown[0]!r}; choose from {', '.join(SCENES)}")

    from .studio import Studio  # needs Playwright

    given.folder.mkdir(parents=True, exist_ok=True)
    with Studio() as studio:
        for name in given.names or SCENES:
            for path in studio.take(SCENES[name], given.folder):
                print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    if given.folder == IMAGES:
        tutorial.attach_picture(IMAGES / "panel-light.png")


if __name__ == "__main__":
    main()

"""A conda channel of stand-ins on this machine, so that a recipe is built and tested without a network.

Its python starts the interpreter of the tests, which has the real dependencies, in the conda environment's prefix; its
other packages are empty.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PYTHON = ".".join(map(str, sys.version_info[:2]))
_SITE = f"lib/python{PYTHON}/site-packages"
_START = f"""#!/bin/sh
prefix=$(dirname "$(dirname "$0")")
PIP_PREFIX=$prefix PYTHONPATH=$prefix/{_SITE} PIP_NO_INDEX=1 exec {sys.executable} "$@"
"""


def make_channel(folder: Path, platform: str, versions: Mapping[str, str]) -> str:
    """Make a channel and return its URL.

    Args:
        folder: Where it is made.
        platform: The platform of its python, such as "linux-64".
        versions: The names and versions of the empty packages.
    """
    for name in ("noarch", platform):
        (folder / name).mkdir(parents=True)
    tree = folder.parent / "python"
    (tree / "bin").mkdir(parents=True)
    for name in ("python", "python3", f"python{PYTHON}"):
        (tree / "bin" / name).write_text(_START)
        (tree / "bin" / name).chmod(0o755)
    (tree / _SITE).mkdir(parents=True)
    (tree / _SITE / "README.txt").write_text("Packages are installed here.\n")
    version = ".".join(map(str, sys.version_info[:3]))
    _pack(folder / platform, "python", version, platform, f"0_cp{PYTHON.replace('.', '')}", files_dir=tree)
    for name, version in versions.items():
        _pack(folder / "noarch", name, version, "noarch", "0", noarch="generic")
    for name in ("noarch", platform):
        _index(folder / name)
    return folder.as_uri()


def _pack(folder: Path, name: str, version: str, platform: str, build: str, **contents: object) -> None:
    import rattler_build

    rattler_build.assemble_package(
        name, version, platform, build, folder, archive_type=rattler_build.ArchiveType.TarBz2, **contents
    )


def _index(folder: Path) -> None:
    packages = {}
    for path in folder.glob("*.tar.bz2"):
        with tarfile.open(path) as archive:
            index = json.load(archive.extractfile("info/index.json"))
        content = path.read_bytes()
        packages[path.name] = {**index, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    repodata = {"info": {"subdir": folder.name}, "packages": packages, "packages.conda": {}, "repodata_version": 1}
    (folder / "repodata.json").write_text(json.dumps(repodata))

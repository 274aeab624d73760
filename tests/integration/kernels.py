"""Virtual environments with other versions of ipykernel, each laid over the packages of the one that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

VERSIONS = ("6.31", "7.0", "7.3", "7.4")
"""A widget's callbacks run in the main thread (6.31), in that of a subshell (7.0 to 7.3), or in either (7.4)."""

CHECKOUT = Path(__file__).parents[2]


class Unavailable(Exception):
    """The environment cannot be made; the message says why, in one line."""


def folder() -> Path | None:
    """Where the environments are kept: the folder that AZML_KERNELS names, `.venv-kernels` where it is 1; else None."""
    asked = os.environ.get("AZML_KERNELS", "")
    if asked in {"", "0"}:
        return None
    return Path(asked).absolute() if asked != "1" else CHECKOUT / ".venv-kernels"


def python_of(where: Path, version: str) -> Path:
    """The Python of an environment with that ipykernel, made now where it is missing: some ten seconds.

    All else comes from the environment that runs this. Raises Unavailable where it cannot be installed.
    """
    site = sysconfig.get_path("purelib")
    made, wanted = where / version, f"{site}\n{sys.version}"
    python = made / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = made / "made-for.txt"
    if not (complete.is_file() and complete.read_text() == wanted):
        shutil.rmtree(made, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(made)])
        own = next(made.glob("lib/python*/site-packages"), made / "Lib" / "site-packages")
        # addsitedir reads the .pth files there: the checkout may be among them
        (own / "shared.pth").write_text(f"import site; site.addsitedir({site!r})\n")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-warn-conflicts"]
        _run([*pip, "--disable-pip-version-check", f"ipykernel=={version}.*"])
        complete.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said
        raise Unavailable(f"`{' '.join(command[1:])}` failed: {errors[-1] if errors else f'exit {done.returncode}'}")

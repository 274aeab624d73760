"""Virtual environments for servers whose pins clash with this package's, azureml-inference-server-http above all."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENT = "azureml-inference-server-http>=1.5,<2"
CHECKOUT = Path(__file__).parents[2]


class Unavailable(Exception):
    """The environment cannot be made; the message says why, in one line."""


def default_folder() -> Path:
    """Where the environment is kept: $AZML_REAL_SERVER_VENV, else `.venv-real-server` in the checkout."""
    return Path(os.environ.get("AZML_REAL_SERVER_VENV") or CHECKOUT / ".venv-real-server").absolute()


def python_of(folder: Path, requirement: str = "") -> Path:
    """The Python of a complete environment in `folder`, made now where it is missing or was left half made.

    `requirement` may be several, with blanks between. By default for Microsoft's scoring server: some 20 s and 90 MB the first time. A second test run that starts
    meanwhile waits for it.
    Raises Unavailable where the environment cannot be made or the server cannot be installed.
    """
    requirement = requirement or REQUIREMENT
    folder.mkdir(parents=True, exist_ok=True)
    environment, complete = folder / "env", folder / "complete"
    python = environment / "bin" / "python"
    wanted = f"{requirement} on Python {sys.version_info.major}.{sys.version_info.minor}"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (complete.is_file() and complete.read_text() == wanted and python.exists()):
            complete.unlink(missing_ok=True)
            _run([sys.executable, "-m", "venv", "--clear", str(environment)])
            _run([str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *requirement.split()])
            complete.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said
        raise Unavailable(f"`{' '.join(command[1:])}` failed: {errors[-1] if errors else f'exit {done.returncode}'}")

"""Virtual environments with other versions of JupyterLab than the one that runs the tests, and of what it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = {
    "lab42": ["jupyterlab==4.2.*", "ipykernel<7", "ipywidgets"],
    "collaboration": ["jupyterlab", "jupyter-collaboration", "ipykernel", "ipywidgets"],
}


class Unavailable(Exception):
    """The environment cannot be made; the message says why, in one line."""


def folder() -> Path | None:
    """The environments' folder: the one that AZML_LABS names, `.venv-labs` if it is 1; else None."""
    asked = os.environ.get("AZML_LABS", "")
    if asked in {"", "0"}:
        return None
    return Path(asked).absolute() if asked != "1" else CHECKOUT / ".venv-labs"


def python_of(name: str) -> Path:
    """The Python of one of the environments in REQUIREMENTS, made now if it is missing: about a minute.

    It has the checkout and what that depends on, without the JupyterLab extension.

    Raises:
        Unavailable: it cannot be installed, or AZML_LABS is not set.
    """
    where = folder()
    if where is None:
        raise Unavailable("AZML_LABS is not set")
    made, wanted = where / name, f"{sys.version}\n{REQUIREMENTS[name]}\n{_own_requirements()}"
    python = made / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = made / "made-for.txt"
    if not (complete.is_file() and complete.read_text() == wanted):
        shutil.rmtree(made, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(made)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *REQUIREMENTS[name], *_own_requirements()])
        site = next(made.glob("lib/python*/site-packages"), made / "Lib" / "site-packages")
        (site / "checkout.pth").write_text(f"{CHECKOUT}\n")
        complete.write_text(wanted)
    return python


def _own_requirements() -> list[str]:
    """What the panel and the demo endpoint need. Read with a pattern: Python 3.10 has no reader of TOML."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = re.search(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    demo = re.search(r"^demo = \[(.*?)\]$", text, re.MULTILINE)
    assert dependencies is not None
    assert demo is not None
    found = re.findall(r'"([^"]+)"', dependencies[1] + demo[1])
    return [each for each in found if not each.startswith(("ipykernel", "ipywidgets"))]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Unavailable(f"`{' '.join(command[1:])}` failed: {said[-1] if said else f'exit {done.returncode}'}")

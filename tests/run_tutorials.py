"""Run every tutorial after the extra that its first cell documents, and nothing else: python -m tests.run_tutorials

It installs the extras one after the other into the environment of this Python, the smallest first, with pytest and
nbval, and has nbval compare each tutorial with its saved outputs. The environment should be a fresh one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXTRAS = ("demo", "azure,demo", "lab")
"""What tutorials may document; each of them includes those before it."""

_AT_ONCE = 4  # kernels mostly wait
_TIME_LIMIT = 300  # seconds for one tutorial
_COMMAND = re.compile(r'pip install -e "\.\[([\w,-]+)\]"')


def documented_extras(notebook: Path) -> list[str]:
    """Return the extras that the first cell of a notebook says to install."""
    first = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]
    return _COMMAND.findall("".join(first["source"]))


def main() -> int:
    """Run all tutorials, and print those that fail.

    Returns:
        The exit status: 1 if one fails.
    """
    install("pytest", "nbval")
    failed = []
    for extra in EXTRAS:
        install("-e", f"{ROOT}[{extra}]")
        chosen = [path for path in NOTEBOOKS if documented_extras(path) == [extra]]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for path, error in zip(chosen, threads.map(run, chosen), strict=True):
                print(f"{'FAILED' if error else 'ok':7} {extra:11} {path.name}", flush=True)
                failed += [error] if error else []
    print(*failed, sep="\n")
    return 1 if failed else 0


def install(*what: str) -> None:
    """Install packages into the environment of this Python."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", *what], check=True)


def run(notebook: Path) -> str:
    """Compare a tutorial with its saved outputs, in a folder and home of its own.

    Returns:
        What nbval says about the cells that differ; "" if none does.
    """
    with tempfile.TemporaryDirectory() as folder:
        work, home = Path(folder, "work"), Path(folder, "home")
        shutil.copytree(notebook.parent, work, ignore=shutil.ignore_patterns(".*"))
        home.mkdir()
        (work / "pytest.ini").write_text("[pytest]\n")
        command = (sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "--nbval")
        try:
            done = subprocess.run(
                [*command, "--nbval-current-env", notebook.name],
                cwd=work,
                env={**os.environ, **dict.fromkeys(("HOME", "USERPROFILE", "IPYTHONDIR"), str(home))},
                capture_output=True,
                encoding="utf-8",
                timeout=_TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return f"{notebook.name} takes longer than {_TIME_LIMIT} s"
    return f"{done.stdout[-4000:]}\n{done.stderr[-1000:]}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())

"""promptfoo from npm, installed into a folder, without a network once it is there.

promptfoo keeps its results with @libsql/client, whose binary is a package of its own: installed by name, because optional
dependencies, which hold a gigabyte of other providers, are left out. No script of a package runs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "0.121.20"  # the last one for Node.js 20
_BINARIES = {("Linux", "x86_64"): "linux-x64-gnu", ("Linux", "aarch64"): "linux-arm64-gnu"}
_QUIET = {
    **dict.fromkeys(("PROMPTFOO_DISABLE_TELEMETRY", "PROMPTFOO_DISABLE_UPDATE", "PROMPTFOO_DISABLE_SHARING"), "1"),
    **dict.fromkeys(("PROMPTFOO_DISABLE_REMOTE_GENERATION", "CI", "NO_COLOR"), "1"),
    "HTTPS_PROXY": "http://127.0.0.1:9",  # what calls home all the same fails at once
    "NO_PROXY": "127.0.0.1",
}


class Unavailable(Exception):
    """promptfoo cannot be installed; the message says why, in one line."""


def install(folder: Path) -> Path:
    """Install promptfoo into a folder, unless it is there; return its program.

    Raises:
        Unavailable: There is no npm, no registry, or no binary for this machine.
    """
    program = folder / "node_modules" / "promptfoo" / "dist" / "src" / "entrypoint.js"
    complete = folder / f"complete-{VERSION}"
    binary = _BINARIES.get((platform.system(), platform.machine()))
    if not shutil.which("npm") or binary is None:
        raise Unavailable("npm is not installed" if binary else f"there is no libsql for {platform.machine()}")
    if not complete.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _npm(folder, f"promptfoo@{VERSION}")
        libsql = json.loads((folder / "node_modules" / "libsql" / "package.json").read_text(encoding="utf-8"))
        _npm(folder, f"@libsql/{binary}@{libsql['version']}")
        complete.touch()
    return program


def _npm(folder: Path, requirement: str) -> None:
    options = ("--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts")
    command = ["npm", "install", "--prefix", str(folder), *options, requirement]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise Unavailable(errors[0] if errors else f"npm install ended with {done.returncode}")


def evaluate(program: Path, folder: Path, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Run `promptfoo eval` and return its results, one for each test."""
    (folder / "promptfooconfig.json").write_text(json.dumps(config), encoding="utf-8")
    options = ("--no-cache", "--no-write", "--no-progress-bar", "--no-table", "-o", "out.json")
    environment = {**os.environ, **_QUIET, "PROMPTFOO_CONFIG_DIR": str(folder / "home")}
    done = subprocess.run(
        ["node", str(program), "eval", "-c", "promptfooconfig.json", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    out = folder / "out.json"
    assert out.is_file(), done.stdout[-2000:] + done.stderr[-2000:]  # its exit status tells failed tests alone
    results: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["results"]["results"]
    return results

"""Starts the server and the probes, each in a process of its own, and reads what they say."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import venvs

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
LONGEST = 600  # seconds for one probe
Run: TypeAlias = "tuple[object, ...]"  # environment, probe, the probe's arguments


@dataclass(frozen=True)
class Bench:
    """A running server. `https` is `http` where the machine has no openssl to make a certificate with."""

    http: str
    https: str
    certificate: str | None

    def probe(self, environment: str, name: str, *arguments: object) -> dict[str, Any]:
        """What the probe measured, run once in a fresh process of that environment."""
        command = [str(part) for part in (venvs.ready(environment), FOLDER / "probes" / f"{name}.py", *arguments)]
        variables = venvs.environment()
        if self.certificate:
            variables |= {"SSL_CERT_FILE": self.certificate, "REQUESTS_CA_BUNDLE": self.certificate}
        with tempfile.TemporaryDirectory() as nowhere:  # no .env, no history, no config of the person's
            variables |= {"IPYTHONDIR": nowhere, "HOME": nowhere}
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST, check=False, env=variables, cwd=nowhere
            )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
        measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return measured

    def medians(self, times: int, *runs: Run) -> list[dict[str, Any]]:
        """The median of each figure over `times` fresh processes of each run, taken in turns."""
        taken: list[list[dict[str, Any]]] = [[] for _ in runs]
        for _ in range(times):
            for figures, (environment, name, *arguments) in zip(taken, runs, strict=True):
                figures.append(self.probe(str(environment), str(name), *arguments))
        return [_median(figures) for figures in taken]


def _median(figures: list[dict[str, Any]]) -> dict[str, Any]:
    first = figures[0]
    return {
        name: statistics.median(figure[name] for figure in figures) if isinstance(value, float) else value
        for name, value in first.items()
    }


@contextlib.contextmanager
def running() -> Iterator[Bench]:
    """The server, in a process of its own; it ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(FOLDER / "server.py"), "--certificate", folder]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            said = json.loads(server.stdout.readline())
            if said["https"] is None:
                print("There is no openssl here: https is left out, all runs over plain http.", file=sys.stderr)
            yield Bench(said["http"], said["https"] or said["http"], said["ca"])
        finally:
            server.stdin.close()  # the server reads it, and ends
            server.wait(timeout=10)
            server.stdout.close()

"""Starts the server and the probes, each in a process of its own, and reads their results."""

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
MAX_SECONDS = 600  # seconds for one probe
Run: TypeAlias = "tuple[object, ...]"  # environment, probe, the probe's arguments


@dataclass(frozen=True)
class Bench:
    """A running server.

    Attributes:
        http: Its URL without TLS.
        https: Its URL with TLS; the same as `http` if openssl is missing.
        certificate: The file of its certificate, or None.
    """

    http: str
    https: str
    certificate: str | None

    def probe(self, environment: str, name: str, *arguments: object) -> dict[str, Any]:
        """Run a probe once in a fresh process of the environment, and return its figures."""
        command = [str(part) for part in (venvs.ensure(environment), FOLDER / "probes" / f"{name}.py", *arguments)]
        variables = venvs.environment()
        if self.certificate:
            variables |= {"SSL_CERT_FILE": self.certificate, "REQUESTS_CA_BUNDLE": self.certificate}
        with tempfile.TemporaryDirectory() as nowhere:  # no .env, no history, no config of the user's
            variables |= {"IPYTHONDIR": nowhere, "HOME": nowhere}
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=MAX_SECONDS, check=False, env=variables, cwd=nowhere
            )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
        measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return measured

    def medians(self, times: int, *runs: Run) -> list[dict[str, Any]]:
        """Run each probe `times` times in fresh processes, taking turns, and return the medians of its figures."""
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
def start_bench() -> Iterator[Bench]:
    """Start the server in a process of its own; it ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(FOLDER / "server.py"), "--certificate", folder]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            urls = json.loads(server.stdout.readline())
            if urls["https"] is None:
                print("openssl is missing: all probes run over plain http.", file=sys.stderr)
            yield Bench(urls["http"], urls["https"] or urls["http"], urls["ca"])
        finally:
            server.stdin.close()  # the server ends when its input closes
            server.wait(timeout=10)
            server.stdout.close()

"""One server program in a process group of its own, on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LAUNCHER = Path(__file__).with_name("end_with_parent.py")


class Program:
    """A running server. `close` ends it and its children, by their own process group.

    Args:
        command: Returns the command line for a port.
        folder: A fresh folder: the program's home, working folder and log.
        health: The path that answers with 200 once the server is ready.
        seconds: How long the start may take.
        environment: Further environment variables.
    """

    def __init__(
        self,
        command: Callable[[int], list[str]],
        folder: Path,
        health: str,
        *,
        seconds: float = 100.0,
        **environment: str,
    ) -> None:
        self.port = _free_port()
        self._log = folder / "server.log"
        clean = {
            "HOME": str(folder),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "NO_PROXY": "*",
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_LAUNCHER), *command(self.port)],
                cwd=folder,
                env=clean,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not self._is_ready(health, time.monotonic() + seconds):
            self.close()
            raise RuntimeError(f"the server did not start:\n{self.log}")

    def _is_ready(self, path: str, deadline: float) -> bool:
        while self._process.poll() is None and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", path)
                if connection.getresponse().status == http.client.OK:
                    return True
            time.sleep(0.1)
        return False

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """End the server: politely, then for good."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""One azmlinfsrv process group, serving one scoring script on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
_LAUNCHER = HERE / "serve_on_loopback.py"
_START_SECONDS = 60
_NO_PORT = 1  # gunicorn's exit code where it cannot bind; a scoring script that cannot be loaded makes it 3


class RealServer:
    """A running server; `url` is its scoring URI. `close` ends it and its workers, by their own process group."""

    def __init__(self, python: Path, script: str, folder: Path, **environment: str) -> None:
        """Serve `scoring/<script>.py` with the server installed beside `python`.

        `folder`: a fresh one, the server's home (gunicorn makes a control socket there), working folder and log.
        """
        self._log = folder / "server.log"
        for attempt in range(3):  # another process may take the free port before the server does
            self.port = _free_port()
            self._process = self._start(python, script, folder, environment)
            if self._is_ready():
                return
            self.close()
            if attempt == 2 or self._process.returncode != _NO_PORT:
                raise RuntimeError(f"azmlinfsrv did not start with {script}.py:\n{self.log}")

    def _start(self, python: Path, script: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        clean = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AML_APP_ROOT": str(HERE / "scoring"),
            "AZUREML_MODEL_DIR": str(folder),
            **environment,
        }
        entry = str(HERE / "scoring" / f"{script}.py")
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(python), str(_LAUNCHER), "--entry_script", entry, "--port", str(self.port)],
                cwd=folder,
                env=clean,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own: master and workers
            )

    def _is_ready(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self.health() == "Healthy":
                return True
            time.sleep(0.05)
        return False

    def health(self) -> str:
        """What the server's own health route answers; "" where nothing does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except OSError:
            return ""
        finally:
            connection.close()

    @property
    def url(self) -> str:
        """The scoring URI."""
        return f"http://127.0.0.1:{self.port}/score"

    @property
    def group(self) -> int:
        """The id of the process group of master and workers."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server and the scoring script have printed so far."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """Ask the server to end, and do not wait for it."""
        if self._process.poll() is None:
            self._process.terminate()

    def close(self) -> None:
        """End the server: politely, then for good. Returns when master and workers are gone."""
        self.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)  # whatever is left of this server's own group
        self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

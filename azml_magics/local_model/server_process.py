"""A local model as an object: its server's process is started, waited for and stopped."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from azml_magics.core.errors import ConfigError
from azml_magics.core.text import one_line

from .cores import choose_threads
from .weights import DOWNLOAD_AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from .weights import Weights

_ROUTE = "/v1/chat/completions"
_CONTEXT_TOKENS = 4096
_SCRIPT = Path(__file__).with_name("serve.py")
_LOAD_SECONDS = 900.0  # a large file from a slow disk; the user may interrupt before
_STOP_SECONDS = 10.0
_LOG_LINE = re.compile(r"^[\d.]+ E\s+(?P<where>\S+?):\s+(?P<text>.+)$", re.MULTILINE)
_CAUSES = {"SIGILL": ", an instruction that this processor does not have", "SIGKILL": ", probably for want of memory"}
_SHOWN = 300  # characters of a reason
_MAX_LOG = 1_000_000
_UNSPECIFIC = re.compile(r"fit params|llama_model_loader: failed|failed to load model")


class LocalModel:
    """llama.cpp's server with one model, on loopback, at a free port, with a key.

    start() and stop() may be called twice. The process ends with this one, however this one ends.

    Args:
        weights: The model.
        threads: How many threads it uses; by default every core but one.
    """

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        self.weights = weights
        self.threads = threads or choose_threads()
        self.key = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._owner = 0
        self._address = ""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.weights.name

    @property
    def running(self) -> bool:
        """Whether the server answers."""
        return bool(self._address) and self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """The URL of its chat completions; "" before start()."""
        return f"{self._address}{_ROUTE}" if self._address else ""

    def start(self, on_wait: Callable[[float], None] | None = None) -> Self:
        """Start the server, and return when it has loaded the model and is healthy.

        Args:
            on_wait: Called about once a second while the model is loaded, with the seconds so far.

        Raises:
            ConfigError: llama.cpp cannot load the model.
        """
        if self.running:
            return self
        self.stop()
        self._owner = os.getpid()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script, no shell
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            # not in the notebook's process group: the interrupt of a cell is not for it
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        atexit.register(self.stop)
        try:
            self._address = self._wait_until_healthy(self._process, on_wait)
        except BaseException:  # an interrupt, too
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server's process; in a forked process, do nothing."""
        process, self._process, self._address = self._process, None, ""
        if process is None or self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        for pipe in (process.stdin, process.stdout, self._log):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_healthy(self, process: subprocess.Popen[bytes], on_wait: Callable[[float], None] | None) -> str:
        """Return the server's address once it is healthy."""
        assert process.stdin is not None
        assert process.stdout is not None
        order = {
            "path": str(self.weights.path), "name": self.name, "threads": self.threads,
            "context": _CONTEXT_TOKENS, "key": self.key,
        }  # fmt: skip
        with contextlib.suppress(OSError):  # it has ended: its log says why
            process.stdin.write(f"{json.dumps(order)}\n".encode())
            process.stdin.flush()
        lines: list[bytes] = []
        reader = threading.Thread(target=lambda: lines.append(_read_line(process)), name="azml-model", daemon=True)
        reader.start()
        started = time.monotonic()
        while reader.is_alive():
            reader.join(1)  # in pieces, because an interrupt on Windows waits for the end of one
            waited = time.monotonic() - started
            if reader.is_alive() and on_wait is not None:
                on_wait(waited)
            if waited > _LOAD_SECONDS:
                raise ConfigError(f"{self.name} is not loaded after {waited:.0f} s", remedy="Try a smaller model.")
        address = lines[0].decode("utf-8", "replace").strip() if lines else ""
        if not address or not _is_healthy(address):
            raise ConfigError(
                f"llama.cpp cannot load {self.weights.path.name}: {self._read_reason(process)}",
                remedy=DOWNLOAD_AGAIN,
            )
        return address

    def _read_reason(self, process: subprocess.Popen[bytes]) -> str:
        """Why the process ended, from its log, else from its status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        text = ""
        if self._log is not None:
            self._log.seek(0)
            text = self._log.read(_MAX_LOG).decode("utf-8", "replace")
        errors = [found["text"].strip().removeprefix("error loading model: ") for found in _LOG_LINE.finditer(text)]
        specific = [line for line in errors if not _UNSPECIFIC.search(line)]
        if specific:
            return one_line(specific[0], _SHOWN)
        status = process.returncode
        if status is not None and status < 0:
            name = signal.Signals(-status).name
            return f"its process was ended by {name}{_CAUSES.get(name, '')}"
        return one_line(
            (errors or text.strip().splitlines() or [f"its process ended with status {status}"])[-1], _SHOWN
        )


def _read_line(process: subprocess.Popen[bytes]) -> bytes:
    try:
        return process.stdout.readline() if process.stdout is not None else b""
    except (OSError, ValueError):  # closed, because it was stopped meanwhile
        return b""


def _is_healthy(address: str) -> bool:
    """Whether GET /health succeeds; no proxy is asked, because the server is on loopback."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

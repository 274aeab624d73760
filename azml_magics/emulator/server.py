"""The emulator: uvicorn in a thread of this process, on loopback."""

from __future__ import annotations

import asyncio
import atexit
import ipaddress
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from azml_magics.emulator.app import App

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from azml_magics.emulator.faults import Fault
    from azml_magics.emulator.recorded_requests import Requests

DEFAULT_KEY = "demo-key-not-secret"
_START_SECONDS = 10.0
_LOGGERS = ("uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class Emulator:
    """A local endpoint with every wire format: `with Emulator() as endpoint: endpoint.url`.

    start() and stop() may be called twice. It also stops with the interpreter.

    Args:
        key: The key that clients must send.
        port: 0 takes a free one.
        rate: Tokens per second, 0 for no delay. It may be changed at any time.
        latency: Seconds before a response begins. It may be changed at any time.
        host: An address of this machine.
        max_body: Bytes beyond which a request gets 413.
        certfile: A certificate, to serve https.
        keyfile: Its private key.

    Raises:
        ValueError: `host` is not loopback.
        OSError: The port is taken; raised by start().
    """

    def __init__(
        self,
        key: str = DEFAULT_KEY,
        port: int = 0,
        rate: float = 0.0,
        latency: float = 0.0,
        *,
        host: str = "127.0.0.1",
        max_body: int = 1_500_000,
        certfile: str | None = None,
        keyfile: str | None = None,
    ) -> None:
        if not _is_loopback(host):
            raise ValueError(f"the emulator listens on loopback only, not on {host!r}; leave host out")
        self.key = key
        self.host = host
        self._wanted_port = port
        self._certfile, self._keyfile = certfile, keyfile
        self._app = App(key, rate, latency, max_body)
        self._port: int | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._levels: dict[str, tuple[int, bool, list[logging.Handler]]] = {}

    @property
    def port(self) -> int:
        """The port it listens on. RuntimeError before start()."""
        if self._port is None:
            raise RuntimeError("the emulator is not running; call start() or use it in a with statement")
        return self._port

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self._certfile else ''}://{host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it is serving."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def requests(self) -> Requests:
        """The last requests, newest last; clear with `.clear()`."""
        return self._app.requests

    @property
    def in_flight_peak(self) -> int:
        """The most requests that were served at the same time. It may be set to 0."""
        return self._app.in_flight_peak

    @in_flight_peak.setter
    def in_flight_peak(self, value: int) -> None:
        self._app.in_flight_peak = value

    @property
    def rate(self) -> float:
        """Tokens per second, 0 for no delay."""
        return self._app.rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._app.rate = value

    @property
    def latency(self) -> float:
        """Seconds before a response begins."""
        return self._app.latency

    @latency.setter
    def latency(self, value: float) -> None:
        self._app.latency = value

    def script(self, faults: Iterable[Fault | None]) -> None:
        """Inject faults into the next requests.

        Args:
            faults: One for each request, in order; None for a normal response.
        """
        self._app.script(faults)

    def reset(self) -> None:
        """Clear script, requests and counts, and restore the initial rate and latency."""
        self._app.reset()

    def start(self) -> Self:
        """Start serving and return the emulator once it is ready."""
        if self.running:
            return self
        listener = _listen(self.host, self._wanted_port)
        self._port = listener.getsockname()[1]
        # uvicorn's loggers are silenced while this server runs, and restored afterwards.
        self._levels = {name: _state(logging.getLogger(name)) for name in _LOGGERS}
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("server", "azml-magics-emulator")],
            backlog=2048,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=0,
            ssl_certfile=self._certfile,
            ssl_keyfile=self._keyfile,
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(target=_serve, args=(server, listener), name="azml-emulator", daemon=True)
        self._thread.start()
        atexit.register(self.stop)
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the emulator did not start on {self.host}:{self._wanted_port or 'a free port'}")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """Stop serving, close open connections and join the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        atexit.unregister(self.stop)
        if self._server is not None:
            self._server.should_exit = True
        thread.join(timeout=_START_SECONDS)
        self._server = None
        self._port = None
        for name, (level, propagate, handlers) in self._levels.items():
            logger = logging.getLogger(name)
            logger.level, logger.propagate, logger.handlers = level, propagate, handlers
        self._levels = {}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {self.url}>" if self.running else "<Emulator, stopped>"


def _state(logger: logging.Logger) -> tuple[int, bool, list[logging.Handler]]:
    return logger.level, logger.propagate, logger.handlers


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; connections made before the server is ready wait and are not refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets this itself only on sockets made with the protocol's number; without it responses wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _serve(server: Any, listener: socket.socket) -> None:
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        listener.close()

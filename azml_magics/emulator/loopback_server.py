"""A server on loopback: uvicorn in a thread of this process, for an ASGI application."""

from __future__ import annotations

import asyncio
import atexit
import ipaddress
import logging
import socket
import threading
import time
from typing import Any

import uvicorn

_START_SECONDS = 10.0
_LOGGERS = ("uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class LoopbackServer:
    """Serves an ASGI application on loopback; it also stops with the interpreter.

    start() and stop() may be called twice.

    Args:
        app: The ASGI application.
        host: An address of this machine.
        port: 0 takes a free one.
        certfile: A certificate, to serve https.
        keyfile: Its private key.

    Raises:
        ValueError: `host` is not loopback.
        OSError: The port is taken; raised by start().
    """

    def __init__(
        self,
        app: Any,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        certfile: str | None = None,
        keyfile: str | None = None,
    ) -> None:
        if not _is_loopback(host):
            raise ValueError(f"the emulator listens on loopback only, not on {host!r}; leave host out")
        self.host = host
        self._app = app
        self._wanted_port = port
        self._certfile, self._keyfile = certfile, keyfile
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

    def start(self) -> None:
        """Start serving, and return once it is ready."""
        if self.running:
            return
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


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        asyncio.run(_serve_and_close(server, listener))
    finally:
        listener.close()


async def _serve_and_close(server: uvicorn.Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
    # A TLS connection that is closing waits for the client's closing message, which is not read after this.
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0.01)

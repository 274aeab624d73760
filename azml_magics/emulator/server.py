"""The emulator: a local endpoint with every wire format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.emulator.app import App
from azml_magics.emulator.loopback_server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from azml_magics.emulator.faults import Fault
    from azml_magics.emulator.recorded_requests import Requests

DEFAULT_KEY = "demo-key-not-secret"


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
        self.key = key
        self.host = host
        self._app = App(key, rate, latency, max_body)
        self._server = LoopbackServer(self._app, host, port, certfile=certfile, keyfile=keyfile)

    @property
    def port(self) -> int:
        """The port it listens on. RuntimeError before start()."""
        return self._server.port

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT, without a slash at the end."""
        return self._server.url

    @property
    def running(self) -> bool:
        """Whether it is serving."""
        return self._server.running

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
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving, close open connections and join the thread."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {self.url}>" if self.running else "<Emulator, stopped>"

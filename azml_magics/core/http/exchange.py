"""One request and its outcome, as data: Request, HTTPResponse, SendFailure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..embedded_keys import fill_body, fill_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..secret import Secret
    from .tls import Verify

_ANSWERS = frozenset(range(200, 300)) - {204, 205}  # those two have no body
CONNECT_TIMEOUT = 10.0  # seconds, unless the config's timeout is shorter
STALE_WITHIN = 0.3  # seconds in which a connection breaks that the server had closed before it read the request
MAX_RESPONSE_BYTES = 16 * 1024 * 1024

Reason: TypeAlias = Literal[
    "connect-error",
    "connect-timeout",
    "pool-timeout",
    "untrusted",
    "timeout",
    "total-timeout",
    "closed",
    "incomplete",
    "too-large",
    "invalid",
]


@dataclass(frozen=True)
class NetworkSettings:
    """How a request reaches its server; connections are shared by requests with the same settings.

    Attributes:
        verify: What certificates are checked against, as `tls.ssl_context` takes it.
        proxy: As `proxy.proxy_for` takes it; None for the environment's.
    """

    verify: Verify = None
    proxy: str | None = field(default=None, repr=False)  # it may hold a password


def is_success(status: int) -> bool:
    """Whether a response with this status has an answer: gateways send 201 and 202, too."""
    return status in _ANSWERS


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire.

    Attributes:
        url: The whole URL.
        headers: Its headers; the key is among them.
        body: The encoded body.
        timeout: Seconds without data before giving up.
        stream: Whether the response should come piece by piece.
        fallback: A body without `stream_options`, for servers that reject them; None if there is no difference.
        method: "POST", or "GET" for descriptions.
        network: How it reaches its server.
        total_timeout: Seconds from the send to the end of the response; None for no limit.
        max_bytes: The most bytes of the response, decompressed. A stream, whose events repeat much, may have
            `body.STREAM_FACTOR` times as many.
        secrets: The keys in the headers, the query and the body, which nothing may show.
        embedded: The keys of the query and the body, by the reference that stands in `url` and `body` for each.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    stream: bool = False
    fallback: bytes | None = field(default=None, repr=False)
    method: str = "POST"
    network: NetworkSettings = NetworkSettings()
    total_timeout: float | None = None
    max_bytes: int = MAX_RESPONSE_BYTES
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    embedded: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def sent_url(self) -> str:
        """The URL with its keys, for the network alone."""
        return fill_query(self.url, self.embedded) if self.embedded else self.url

    @property
    def sent_body(self) -> bytes:
        """The body with its keys, for the network alone."""
        return fill_body(self.body, self.embedded) if self.embedded else self.body

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """Return a copy with other headers. Each attempt needs one; `dataclasses.replace` takes five times as long."""
        copy = object.__new__(Request)
        vars(copy).update(vars(self), headers=headers)
        return copy

    @property
    def connect_timeout(self) -> float:
        """Seconds to open a connection, through a proxy's tunnel if there is one."""
        return min(CONNECT_TIMEOUT, self.timeout)


@dataclass
class HTTPResponse:
    """A response of any status.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name; repeated ones are joined by commas. A server may echo the key in them.
        body: The whole body; empty if `stream` has it.
        stream: An iterable of bytes (asynchronous on an event loop) if the request asked for a stream and the status is
            200, else None. It has to be closed. If it breaks, it raises StreamBroken.
        limit_reads: Makes reads of the stream fail that end later than so many seconds from its call. None if the
            stream does not come from the network.
        attempts: How many requests the call sent until this response.
        proxy: HOST:PORT of the proxy that passed on a request over plain http, or answered it itself; "" for none.
        client_request_id: The id that we gave the request; "" for a server on this machine.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: Any = field(default=None, repr=False)
    limit_reads: Callable[[float], None] | None = field(default=None, repr=False)
    attempts: int = field(default=1, compare=False)
    proxy: str = field(default="", compare=False)
    client_request_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class SendFailure:
    """A request without a whole response.

    Attributes:
        reason: "connect-error" or "connect-timeout" (no connection was opened), "pool-timeout" (a user's client had
            none free), "untrusted" (its certificate), "timeout" (no data in time), "total-timeout" (not all data in
            time), "closed" (the connection ended before a response), "incomplete" (it ended within one), "too-large",
            "invalid" (the request could not be sent).
        error: What was raised.
        reused: Whether the connection had served a request before.
        has_data: Whether any byte of a response had arrived.
        seconds: Seconds from the beginning of the send to the failure.
        proxy: The proxy that had not opened its tunnel yet, as HOST:PORT; "" for none.
    """

    reason: Reason
    error: Exception
    reused: bool = False
    has_data: bool = False
    seconds: float = 0.0
    proxy: str = ""

    @property
    def is_unreachable(self) -> bool:
        """Whether no connection was opened, so that nothing was sent."""
        return self.reason in {"connect-error", "connect-timeout"}

    @property
    def is_stale_connection(self) -> bool:
        """Whether the server had closed the kept connection while it was idle, so that the request was not handled.

        A connection that breaks later, or after a single byte, may break because the request was handled.
        """
        return self.reason == "closed" and self.reused and not self.has_data and self.seconds <= STALE_WITHIN


Outcome: TypeAlias = HTTPResponse | SendFailure


class StreamBroken(Exception):
    """A stream that did not arrive whole; the cause is what the network raised."""

    def __init__(self, failure: SendFailure) -> None:
        super().__init__(str(failure.error))
        self.failure = failure

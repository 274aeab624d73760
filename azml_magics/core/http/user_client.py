"""Requests over a user's own httpx client, or httpx2's: its hooks, mounts, authentication, headers and certificates.

What a connection receives is watched as far as the client's transport tells it. Nothing is ever repeated here: whether
a kept connection broke before it received anything is not known for certain.
"""

from __future__ import annotations

import inspect
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .connection import Connection, request_fields
from .exchange import NetworkSettings
from .network import AsyncNetworkTransport, NetworkTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from weakref import WeakKeyDictionary

    import httpx

    from .exchange import Request, SendFailure
    from .reception import Reception

    _Watched = WeakKeyDictionary[Any, Reception]


class UserClient(NetworkTransport):
    """Sends single requests over a user's client, which keeps the connections.

    Raises:
        ConfigError: It is not a synchronous client.
    """

    def __init__(self, http_client: Any) -> None:
        super().__init__()
        check_client(http_client, is_async=False)
        self._http_client = http_client
        self._watched: _Watched = weakref.WeakKeyDictionary()

    def acquire(self, request: Request, *, new: bool) -> Connection:  # noqa: ARG002 - as every network
        """Return a connection for one request; the client finds a real one when it is sent."""
        return _UserConnection(self._http_client, self._watched)

    def release(self, request: Request, connection: Connection) -> None:
        """Do nothing: the client has the connection."""


class AsyncUserClient(AsyncNetworkTransport):
    """What UserClient is, for an event loop."""

    def __init__(self, http_client: Any) -> None:
        super().__init__()
        check_client(http_client, is_async=True)
        self._http_client = http_client
        self._watched: _Watched = weakref.WeakKeyDictionary()

    def acquire(self, request: Request, *, new: bool) -> Connection:  # noqa: ARG002 - as every network
        """Return a connection for one request; the client finds a real one when it is sent."""
        return _UserConnection(self._http_client, self._watched)

    async def release(self, request: Request, connection: Connection) -> None:
        """Do nothing: the client has the connection."""


class _UserConnection(Connection):
    """What one request and its response need of a user's client."""

    def __init__(self, http_client: Any, watched: _Watched) -> None:
        super().__init__(http_client)
        self._watched = watched
        self._stream: Any = None  # the network stream of the response, if its reads are watched

    @property
    def limit_reads(self) -> Callable[[float], None] | None:
        """Limits the reads of the response, if they are watched."""
        return None if self._stream is None else self._reception.limit_reads

    def send(self, request: Request) -> httpx.Response:
        """Send a request and return the response, whose body is not read yet."""
        self._reception.begin(request)
        fields = self._fields(request, self._reception.trace)
        built = self._transport.build_request(**fields)
        try:
            response: httpx.Response = self._transport.send(built, stream=True, follow_redirects=False)
        except Exception as error:  # noqa: BLE001 - raised again, unless a hook has turned a response into it
            response = _response_of(error)
        self._watch(request, response)
        return response

    async def asend(self, request: Request) -> httpx.Response:
        """What `send` does, on the running event loop."""
        self._reception.begin(request)
        fields = self._fields(request, self._reception.atrace)
        built = self._transport.build_request(**fields)
        try:
            response: httpx.Response = await self._transport.send(built, stream=True, follow_redirects=False)
        except Exception as error:  # noqa: BLE001 - raised again, unless a hook has turned a response into it
            response = _response_of(error)
        self._watch(request, response)
        return response

    def _fields(self, request: Request, trace: Any) -> dict[str, Any]:
        if self._transport.is_closed:
            raise ConfigError("The http_client is closed", remedy="Pass an open one.", error_code="http-client-closed")
        if request.network != NetworkSettings():
            raise ConfigError(
                "The config's verify and proxy are not used with an http_client, which has its own",
                remedy="Give them to the httpx client, and leave them out of the config.",
                error_code="http-client-network",
            )
        fields = request_fields(request, trace) | {"url": request.sent_url}  # another library has a class of its own
        given = self._transport.headers.get("user-agent", "")
        if given and not given.startswith("python-httpx"):
            fields["headers"] = {name: value for name, value in fields["headers"].items() if name != "User-Agent"}
        return fields

    def _watch(self, request: Request, response: httpx.Response) -> None:
        """Go on with the reception that watches the response's connection."""
        stream = response.extensions.get("network_stream")
        if stream is None or response.extensions.get("http_version") not in {b"HTTP/1.1", b"HTTP/1.0"}:
            return
        if self._reception.is_watching(stream):
            self._watched[stream] = self._reception
        reception = self._watched.get(stream)
        if reception is None:  # it was opened by a request of the user's own
            return
        if reception is not self._reception:
            reception.go_on(request)
            self._reception = reception
        self._stream = stream

    def has_ended(self, headers: Mapping[str, str]) -> bool:
        """Whether one whole response was received; True if that is not known."""
        if self._stream is None:
            return True
        has_ended = self._reception.ends_with_response(headers)
        self._reception.rest()
        return has_ended

    def close(self) -> None:
        """Close the connection, which the client then finds closed; one that is not known is the client's to close."""
        if self._stream is not None:
            self._stream.close()

    async def aclose(self) -> None:
        """What `close` does, on the running event loop."""
        if self._stream is not None:
            await self._stream.aclose()

    def failure(self, error: Exception, *, has_begun: bool) -> SendFailure:
        """Describe what was raised, without a claim that the connection had been kept."""
        return replace(super().failure(error, has_begun=has_begun), reused=False)


def _response_of(error: Exception) -> httpx.Response:
    """The response that a hook's `raise_for_status` turned into `error`; raises any other error again."""
    if "HTTPStatusError" not in {kind.__name__ for kind in type(error).__mro__}:
        raise error
    response: httpx.Response = error.response  # type: ignore[attr-defined]  # of httpx or httpx2
    return response


def check_client(http_client: Any, *, is_async: bool) -> None:
    """Check that `http_client` is a client that can be used.

    Raises:
        ConfigError: It has no `build_request` and `send`, or they are for the other kind of program.
    """
    if inspect.isclass(http_client) or not (hasattr(http_client, "build_request") and hasattr(http_client, "send")):
        raise ConfigError(
            f"http_client must be an httpx client, not {type(http_client).__name__}",
            remedy="Pass an httpx.Client, or an httpx.AsyncClient for calls on an event loop.",
            error_code="http-client-kind",
        )
    if inspect.iscoroutinefunction(http_client.send) is not is_async:
        given, needed = ("synchronous", "AsyncClient") if is_async else ("asynchronous", "Client")
        raise ConfigError(
            f"The http_client is {given} and the calls are not",
            remedy=f"Pass an httpx.{needed}.",
            error_code="http-client-kind",
        )

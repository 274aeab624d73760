"""Requests through the browser's fetch, for Pyodide: JupyterLite, marimo's and PyScript's pages. There are no sockets.

The browser checks certificates, picks the proxy, and lets a page talk to those servers only that allow it (CORS: the
headers Access-Control-Allow-Origin and -Headers). Redirects are not followed, as elsewhere. A synchronous call waits
with JavaScript Promise Integration (https://pyodide.org/en/stable/usage/api/python-api/ffi.html, `run_sync`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator, Mapping

# Headers that a page may not set; the browser does. Source: https://fetch.spec.whatwg.org/#forbidden-request-header
_OF_BROWSER = {"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
# Headers of the bytes on the network, which fetch has decoded already.
_DECODED = {"content-encoding", "content-length", "transfer-encoding"}
_REFUSED = (
    "the browser got no response from it. It reaches only servers that allow requests from web pages (CORS), over https"
)
_CANNOT_WAIT = (
    "this browser cannot wait for a response inside a cell. Use a current Chrome or Edge, or `await` an AsyncClient"
)


def transport_for(transport: type[Any]) -> FetchTransport | AsyncFetchTransport:
    """Return what takes the place of one of httpx's transports.

    Args:
        transport: httpx.HTTPTransport or httpx.AsyncHTTPTransport.
    """
    return FetchTransport() if issubclass(transport, httpx.BaseTransport) else AsyncFetchTransport()


class FetchTransport(httpx.BaseTransport):
    """What httpx.HTTPTransport is, over fetch."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response, whose body is not read yet.

        Raises:
            httpx.ConnectError: The browser did not send it or got no response, or cannot wait for one.
            TimeoutError: The response did not begin in time.
        """
        exchange = _Exchange(request)
        request.extensions["trace"]("connection.connect_tcp.started", {})
        request.extensions["trace"]("connection.connect_tcp.complete", {"return_value": exchange})
        request.extensions["trace"]("http11.send_request_headers.started", {})
        status, headers = _wait_for(exchange.send())
        return httpx.Response(status, headers=headers, stream=_Body(exchange))


class AsyncFetchTransport(httpx.AsyncBaseTransport):
    """What httpx.AsyncHTTPTransport is, over fetch."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do what FetchTransport does, on the browser's event loop."""
        exchange = _AsyncExchange(request)
        await request.extensions["trace"]("connection.connect_tcp.started", {})
        await request.extensions["trace"]("connection.connect_tcp.complete", {"return_value": exchange})
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        status, headers = await exchange.send()
        return httpx.Response(status, headers=headers, stream=_AsyncBody(exchange))


class _AsyncExchange:
    """One request and its response. It has the form of httpcore's network streams, so that Reception bounds its reads.

    Args:
        request: The request.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._timeout: float | None = request.extensions["timeout"]["read"]
        self._reader: Any = None
        self._abort: Any = None

    async def send(self) -> tuple[int, dict[str, str]]:
        """Send the request and return the response's status and headers."""
        import js  # type: ignore[import-not-found,unused-ignore]  # of Pyodide

        self._abort = js.AbortController.new()
        try:
            response = await asyncio.wait_for(js.fetch(str(self._request.url), self._options()), self._timeout)
        except (TimeoutError, asyncio.TimeoutError):
            self.stop()
            raise TimeoutError("The response did not begin in time") from None
        except Exception as error:  # a JsException: the browser tells a page no more than that it failed
            raise httpx.ConnectError(_REFUSED) from error
        if response.type == "opaqueredirect":
            raise httpx.ConnectError("it redirects to another address, and redirects are not followed")
        self._reader = response.body.getReader() if response.body else None
        return response.status, _without(_DECODED, {pair[0]: pair[1] for pair in response.headers.entries()})

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - of network streams
        """Return the next bytes of the body; b"" at its end."""
        if self._reader is None:
            return b""
        try:
            piece = await asyncio.wait_for(self._reader.read(), timeout)
        except (TimeoutError, asyncio.TimeoutError):
            self.stop()
            raise TimeoutError("No data in time") from None
        except Exception as error:
            raise httpx.ReadError("the connection broke") from error
        return b"" if piece.done else bytes(piece.value.to_bytes())

    async def read_next(self) -> bytes:
        """Return the next bytes within the time of the request."""
        return await self.read(0, self._timeout)

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """Do nothing: fetch sends the request in one piece."""

    def get_extra_info(self, name: str) -> None:
        """Return None: there is neither a socket nor TLS to look at."""

    def stop(self) -> None:
        """End the request; the server may notice."""
        if self._abort is not None:
            self._abort.abort()

    def _options(self) -> Any:
        import js
        from pyodide.ffi import to_js  # type: ignore[import-not-found,unused-ignore]  # of Pyodide

        options = {
            "method": self._request.method,
            "headers": _without(_OF_BROWSER, dict(self._request.headers)),
            "body": self._request.content or None,
            "signal": self._abort.signal,
            "redirect": "manual",
            "credentials": "omit",
            "cache": "no-store",
            "referrerPolicy": "no-referrer",
        }
        return to_js(options, dict_converter=js.Object.fromEntries)


class _Exchange(_AsyncExchange):
    """What _AsyncExchange is, with reads that wait."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # type: ignore[override]  # it waits
        data: bytes = _wait_for(super().read(max_bytes, timeout))
        return data

    def read_next(self) -> bytes:  # type: ignore[override]  # it waits
        return self.read(0, self._timeout)


class _Body(httpx.SyncByteStream):
    """The body of a response, in the pieces in which it arrives."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._exchange.read_next():
            yield piece

    def close(self) -> None:
        self._exchange.stop()


class _AsyncBody(httpx.AsyncByteStream):
    """What _Body is, for event loops."""

    def __init__(self, exchange: _AsyncExchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._exchange.read_next():
            yield piece

    async def aclose(self) -> None:
        self._exchange.stop()


def _wait_for(result: Coroutine[Any, Any, Any]) -> Any:
    from pyodide.ffi import can_run_sync, run_sync  # type: ignore[import-not-found,unused-ignore]  # of Pyodide

    if not can_run_sync():
        result.close()  # else it would warn that it was never awaited
        raise httpx.ConnectError(_CANNOT_WAIT)
    value, error = run_sync(_catch(result))
    if error is not None:
        raise error
    return value


async def _catch(result: Awaitable[Any]) -> tuple[Any, Exception | None]:
    """Return a result, or what it raised: Pyodide's event loop shows what a task raises, even if it is handled."""
    try:
        return await result, None
    except Exception as error:  # noqa: BLE001 - raised by the caller
        return None, error


def _without(left_out: set[str], headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in left_out}

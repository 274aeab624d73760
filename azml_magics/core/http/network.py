"""Single requests over the network: transports that keep their connections for the next request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .connection import (
    Connection,
    ConnectionStack,
    aiter_body,
    header_dict,
    iter_body,
    open_async_connection,
    open_connection,
    send_failure,
    to_httpcore,
)
from .exchange import OK, HTTPResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Generator, Mapping

    from .exchange import Outcome, Request


class NetworkTransport:
    """Sends single requests, and keeps their connections.

    Args:
        certificates: What https is checked against; by default those that httpx loads.
    """

    def __init__(self, certificates: ssl.SSLContext | None = None) -> None:
        self._certificates = certificates
        self._idle = ConnectionStack()

    def send(self, request: Request, *, new_connection: bool = False) -> Outcome:
        """Send one request; `new_connection`: not over a kept one."""
        used = response = None
        try:
            used = self._connect(request.url, new=new_connection)
            used.reception.begin()
            trace = None if used.is_reused else used.reception.trace
            response = used.http.handle_request(to_httpcore(request, trace))
            headers = header_dict(response)
            if request.stream and response.status == OK:
                pieces = self._stream(response, headers, request.url, used)
                return HTTPResponse(response.status, headers, stream=pieces, limit_reads=used.reception.limit_reads)
            body = b"".join(iter_body(response, headers))
            response.close()
        except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in the retry flow
            if used is None:
                return send_failure(error)
            failure = used.failure(error, has_begun=response is not None)
            used.http.close()
            return failure
        except BaseException:  # a kernel interrupt in the middle of an exchange
            if used is not None:
                used.http.close()
            raise
        if not self._idle.push(request.url, used, headers):
            used.http.close()
        return HTTPResponse(response.status, headers, body)

    def _connect(self, url: str, *, new: bool) -> Connection:
        while not new and (kept := self._idle.pop(url)):
            if not kept.http.has_expired():
                return kept
            kept.http.close()
        return open_connection(url, self._certificates)

    def _stream(
        self, response: Any, headers: Mapping[str, str], url: str, used: Connection
    ) -> Generator[bytes, None, None]:
        """The body as it arrives; the connection is kept if it is read whole, and closed if its reader leaves early."""
        is_complete = False
        try:
            yield from iter_body(response, headers)
            is_complete = True
        finally:
            response.close()
            if not (is_complete and self._idle.push(url, used, headers)):
                used.http.close()

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        for kept in self._idle.pop_all():
            kept.http.close()


class AsyncNetworkTransport:
    """What NetworkTransport is, for one event loop.

    Attributes:
        certificates: What new https connections are checked against; None for the default.
    """

    def __init__(self, certificates: ssl.SSLContext | None = None) -> None:
        self.certificates = certificates
        self._idle = ConnectionStack()

    async def send(self, request: Request, *, new_connection: bool = False) -> Outcome:
        """Send one request; `new_connection`: not over a kept one."""
        used = response = None
        try:
            used = await self._connect(request.url, new=new_connection)
            used.reception.begin()
            trace = None if used.is_reused else used.reception.atrace
            response = await used.http.handle_async_request(to_httpcore(request, trace))
            headers = header_dict(response)
            if request.stream and response.status == OK:
                pieces = self._stream(response, headers, request.url, used)
                return HTTPResponse(response.status, headers, stream=pieces, limit_reads=used.reception.limit_reads)
            body = b"".join([piece async for piece in aiter_body(response, headers)])
            await response.aclose()
        except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in the retry flow
            if used is None:
                return send_failure(error)
            failure = used.failure(error, has_begun=response is not None)
            await used.http.aclose()
            return failure
        except BaseException:  # cancelled in the middle of an exchange
            if used is not None:
                await asyncio.shield(used.http.aclose())
            raise
        if not self._idle.push(request.url, used, headers):
            await used.http.aclose()
        return HTTPResponse(response.status, headers, body)

    async def _connect(self, url: str, *, new: bool) -> Connection:
        while not new and (kept := self._idle.pop(url)):
            if not kept.http.has_expired():
                return kept
            await kept.http.aclose()
        return open_async_connection(url, self.certificates)

    async def _stream(
        self, response: Any, headers: Mapping[str, str], url: str, used: Connection
    ) -> AsyncGenerator[bytes, None]:
        is_complete = False
        try:
            async for piece in aiter_body(response, headers):
                yield piece
            is_complete = True
        finally:
            await response.aclose()
            if not (is_complete and self._idle.push(url, used, headers)):
                await used.http.aclose()

    async def aclose(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        for kept in self._idle.pop_all():
            await kept.http.aclose()

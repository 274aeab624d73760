"""Single requests over the network: connections are kept for the next request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from ..errors import AzmlError
from .connection import Connection, ConnectionStack, header_dict, open_connection
from .exchange import HTTPResponse, is_success
from .received_body import AsyncReceivedBody, ReceivedBody
from .run_control import in_flight
from .send_failures import send_failure

if TYPE_CHECKING:
    from .exchange import Outcome, Request


class NetworkTransport:
    """Sends single requests, and keeps their connections."""

    def __init__(self) -> None:
        self._idle = ConnectionStack()

    def send(self, request: Request, *, new_connection: bool = False) -> Outcome:
        """Send one request; `new_connection`: not over a kept one."""
        connection = body = None
        try:
            connection = self.acquire(request, new=new_connection)
            with in_flight(connection):
                response = connection.send(request)
                body = ReceivedBody(request, response, header_dict(response), connection, self.release)
                if request.stream and is_success(response.status_code):
                    limit_reads = connection.limit_reads
                    return HTTPResponse(response.status_code, body.headers, stream=body, limit_reads=limit_reads)
                whole = b"".join(body.pieces())
            return HTTPResponse(response.status_code, body.headers, whole, proxy=connection.forwarding_proxy)
        except AzmlError:  # the config's certificates or proxy
            raise
        except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in the retry flow
            if connection is None:
                return send_failure(error)
            connection.close()
            return connection.failure(error, has_begun=body is not None)
        except BaseException:  # a kernel interrupt in the middle of an exchange, or its run was abandoned
            if connection is not None:
                connection.close()
            raise

    def acquire(self, request: Request, *, new: bool) -> Connection:
        """Return a connection for `request`: the kept one that was used last, unless it has to be `new`."""
        kept = None if new else self._idle.pop(request)
        return kept or open_connection(request, httpx.HTTPTransport)

    def release(self, request: Request, connection: Connection) -> None:
        """Take back the connection of `request` for another one."""
        if not self._idle.push(request, connection):
            connection.close()

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        for kept in self._idle.pop_all():
            kept.close()


class AsyncNetworkTransport:
    """What NetworkTransport is, for one event loop."""

    def __init__(self) -> None:
        self._idle = ConnectionStack()

    async def send(self, request: Request, *, new_connection: bool = False) -> Outcome:
        """Send one request; `new_connection`: not over a kept one."""
        connection = body = None
        try:
            connection = self.acquire(request, new=new_connection)
            response = await connection.asend(request)
            body = AsyncReceivedBody(request, response, header_dict(response), connection, self.release)
            if request.stream and is_success(response.status_code):
                return HTTPResponse(response.status_code, body.headers, stream=body, limit_reads=connection.limit_reads)
            whole = b"".join([piece async for piece in body.pieces()])
            return HTTPResponse(response.status_code, body.headers, whole, proxy=connection.forwarding_proxy)
        except AzmlError:  # the config's certificates or proxy
            raise
        except Exception as error:  # noqa: BLE001 - every failure to send becomes an error of ours in the retry flow
            if connection is None:
                return send_failure(error)
            await connection.aclose()
            return connection.failure(error, has_begun=body is not None)
        except BaseException:  # cancelled in the middle of an exchange
            if connection is not None:
                await connection.aclose()
            raise

    def acquire(self, request: Request, *, new: bool) -> Connection:
        """Return a connection for `request`: the kept one that was used last, unless it has to be `new`."""
        kept = None if new else self._idle.pop(request)
        return kept or open_connection(request, httpx.AsyncHTTPTransport)

    async def release(self, request: Request, connection: Connection) -> None:
        """Take back the connection of `request` for another one."""
        if not self._idle.push(request, connection):
            await connection.aclose()

    async def aclose(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        for kept in self._idle.pop_all():
            await kept.aclose()

"""The ASGI application of the control plane: it records a request and hands it to the service of its path."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.app import App
from azml_magics.emulator.control_plane.login import Login
from azml_magics.emulator.control_plane.managed_identity import ManagedIdentity
from azml_magics.emulator.control_plane.model_endpoints import ModelEndpoints
from azml_magics.emulator.control_plane.project import ProjectApi
from azml_magics.emulator.control_plane.resource_manager import ResourceManagerApi
from azml_magics.emulator.control_plane.vault import KeyVault
from azml_magics.emulator.delivery import Delivery
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.recorded_requests import RecordedRequest, Requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.control_plane.model_endpoints import Forward

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

_KEY_HEADERS = (b"authorization", b"api-key", b"x-api-key", b"azureml-model-deployment")


class ControlPlaneApp:
    """The control plane as an ASGI application.

    Attributes:
        requests: The last requests.
        login: The login.
        managed_identity: The managed identities.
        models: The emulator that responds for all endpoints.
    """

    def __init__(self, services: Services, rate: float = 0.0) -> None:
        self.requests = Requests()
        self.login = Login(services)
        self.managed_identity = ManagedIdentity(services)
        self._key = secrets.token_hex(16)
        self.models = App(self._key, rate)
        self._endpoints = ModelEndpoints(services)
        self._services = (
            self.managed_identity,
            ResourceManagerApi(services),
            KeyVault(services),
            self.login,
            ProjectApi(services),
        )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        request = RecordedRequest(scope["method"], scope["path"], query, headers, body)
        self.requests.append(request)
        for service in self._services:
            response = service.respond(request)
            if response is not None:
                break
        else:
            found = self._endpoints.check(request)
            if not isinstance(found, HttpResponse):
                await self._forward(found, body, scope, receive, send)
                return
            response = found
        await Delivery(response, 0.0, receive, send, head=request.method == "HEAD").send()

    async def _forward(self, found: Forward, body: bytes, scope: Any, receive: Receive, send: Send) -> None:
        """Let the emulator respond: with its own key in place of the client's, at the path below the resource."""
        headers = [(name, value) for name, value in scope["headers"] if name not in _KEY_HEADERS]
        headers.append((b"authorization", f"Bearer {self._key}".encode()))
        if found.deployment:
            headers.append((b"azureml-model-deployment", found.deployment.encode()))
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Any:
            return unread.pop() if unread else await receive()

        await self.models({**scope, "path": found.path, "headers": headers}, receive_again, send)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body of a request, or None if the client has gone."""
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)

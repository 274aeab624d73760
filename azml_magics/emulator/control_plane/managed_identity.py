"""The emulated managed identities of App Service and of a compute instance of Azure ML, over http."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from azml_magics.emulator.control_plane.issued_tokens import CLIENT_ID, COMPUTE_CLIENT_ID
from azml_magics.emulator.http_response import HttpResponse
from azml_magics.emulator.routed_request import parse_query

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.recorded_requests import RecordedRequest

APP_SERVICE = "/msi/token"
COMPUTE_INSTANCE = "/nbip/v1.0/identity/token"
_UNKNOWN = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."


class ManagedIdentity:
    """The token endpoints of the two hosts.

    Attributes:
        secret: What a request has to carry: in X-IDENTITY-HEADER (App Service) or in secret (Azure ML).
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.secret = secrets.token_urlsafe(24)

    def respond(self, request: RecordedRequest) -> HttpResponse | None:
        """Return the response to a request for a token, or None if the path is not of a managed identity."""
        if request.path == APP_SERVICE:
            return self._issue(request, "x-identity-header", "client_id", ("", CLIENT_ID), CLIENT_ID)
        if request.path == COMPUTE_INSTANCE:
            # A compute instance has no identity of its own: the request has to name the assigned one.
            return self._issue(request, "secret", "clientid", (COMPUTE_CLIENT_ID,), COMPUTE_CLIENT_ID)
        return None

    def _issue(
        self, request: RecordedRequest, header: str, parameter: str, known: tuple[str, ...], client_id: str
    ) -> HttpResponse:
        if not hmac.compare_digest(request.headers.get(header, "").encode(), self.secret.encode()):
            return HttpResponse.flask({"statusCode": 401, "message": f"The header {header} is missing or wrong."}, 401)
        query = parse_query(request.query)
        if self._services.faults.signed_out:
            return HttpResponse.flask({"statusCode": 400, "message": self._services.faults.signed_out}, 400)
        if query.get(parameter, "") not in known:
            return HttpResponse.flask({"statusCode": 400, "message": _UNKNOWN}, 400)
        resource = query.get("resource", "")
        token = self._services.tokens.issue(resource, client_id)
        data = {
            "access_token": token.text,
            "expires_on": str(token.expires_on),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }
        return HttpResponse.flask(data)

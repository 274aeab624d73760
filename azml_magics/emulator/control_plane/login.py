"""The emulated login of Entra ID: metadata, and tokens for applications and for users with a device code.

The requests are those of msal and azure-identity; the errors carry Entra's AADSTS codes.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any

from azml_magics.emulator.control_plane.calls import form_of
from azml_magics.emulator.control_plane.issued_tokens import CLIENT_ID, TENANT, make_client_info, make_id_token
from azml_magics.emulator.http_response import HttpResponse

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.recorded_requests import RecordedRequest

_PATH = re.compile(r"/([^/]+)(/v2\.0/\.well-known/openid-configuration|/oauth2/v2\.0/(?:token|devicecode))")
_DISCOVERY = "/common/discovery/instance"
_TENANTS = (TENANT, "organizations", "common")
_USER = "ada@contoso.example"


class Login:
    """The login of the tenant.

    Attributes:
        client_secret: The secret of the service principal.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.client_secret = secrets.token_urlsafe(24)
        self._device_codes: dict[str, str] = {}  # code -> the scope that it was asked for

    def respond(self, request: RecordedRequest) -> HttpResponse | None:
        """Return the response to a request of the login, or None if the path is not one of its own."""
        if request.path == _DISCOVERY:
            return HttpResponse.fastapi({"tenant_discovery_endpoint": f"{self._base(TENANT)}/v2.0/{_METADATA}"})
        match = _PATH.fullmatch(request.path)
        if match is None:
            return None
        tenant, route = match.groups()
        if tenant.lower() not in _TENANTS:
            return _refuse("invalid_tenant", 90002, f"Tenant '{tenant}' not found. Check to make sure you have the "
                           "correct tenant ID and are signing into the correct cloud.")  # fmt: skip
        if route.endswith(_METADATA):
            return HttpResponse.fastapi(self._metadata(tenant))
        if self._services.faults.signed_out:
            return _refuse("invalid_grant", 50076, self._services.faults.signed_out)
        if route.endswith("devicecode"):
            return self._start_device_code(form_of(request))
        return self._issue(form_of(request))

    def _base(self, tenant: str) -> str:
        return f"{self._services.login_url}/{tenant}"

    def _metadata(self, tenant: str) -> dict[str, Any]:
        base = self._base(tenant)
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        }

    def _start_device_code(self, form: dict[str, str]) -> HttpResponse:
        code = secrets.token_urlsafe(12)
        self._device_codes[code] = form.get("scope", "")
        url = f"{self._services.login_url}/device"
        data = {
            "device_code": code,
            "user_code": "EMULATED1",
            "verification_uri": url,
            "expires_in": 900,
            "interval": 0,
            "message": f"To sign in, open {url} and enter the code EMULATED1. (This login is emulated: it signs in "
            "by itself.)",
        }
        return HttpResponse.fastapi(data)

    def _issue(self, form: dict[str, str]) -> HttpResponse:
        grant = form.get("grant_type", "")
        client_id = form.get("client_id", "")
        if grant == "client_credentials":
            return self._check_application(form) or self._token(form, client_id)
        if grant == "urn:ietf:params:oauth:grant-type:device_code" or form.get("device_code"):
            scope = self._device_codes.get(form.get("device_code", ""))
            if scope is None:
                return _refuse("invalid_grant", 70008, "The provided device code has expired or is not valid.")
            return self._user_token({**form, "scope": scope}, client_id)
        if grant == "refresh_token":
            return self._user_token(form, client_id)
        return _refuse("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")

    def _check_application(self, form: dict[str, str]) -> HttpResponse | None:
        """Return the refusal of an application that is unknown or has another secret."""
        client_id = form.get("client_id", "")
        if client_id != CLIENT_ID:
            message = f"Application with identifier '{client_id}' was not found in the directory 'Contoso'."
            return _refuse("unauthorized_client", 700016, message)
        if "client_assertion" in form:  # a federated credential, such as workload identity's
            return None
        if hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            return None
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client_id}'."
        )
        return _refuse("invalid_client", 7000215, message, 401)

    def _token(self, form: dict[str, str], client_id: str, **more: Any) -> HttpResponse:
        resource = next((scope for scope in form.get("scope", "").split() if "/" in scope), "")
        audience = resource.removesuffix("/.default")
        if not audience:
            return _refuse("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
        token = self._services.tokens.issue(audience, client_id)
        lifetime = self._services.faults.token_lifetime
        data = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token.text}
        return HttpResponse.fastapi({**data, **more})

    def _user_token(self, form: dict[str, str], client_id: str) -> HttpResponse:
        issuer = f"{self._base(TENANT)}/v2.0"
        more = {
            "scope": form.get("scope", ""),
            "refresh_token": "emulated-refresh-token",
            "id_token": make_id_token(client_id, issuer, _USER),
            "client_info": make_client_info(),
        }
        return self._token(form, client_id, **more)


_METADATA = ".well-known/openid-configuration"


def _refuse(error: str, number: int, message: str, status: int = 400) -> HttpResponse:
    data = {"error": error, "error_description": f"AADSTS{number}: {message}", "error_codes": [number]}
    return HttpResponse.fastapi(data, status)

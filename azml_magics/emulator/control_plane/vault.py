"""The emulated key vault: GET /VAULT/secrets/NAME[/VERSION], as azure-keyvault-secrets asks for it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from azml_magics.emulator.control_plane.calls import bearer_of, refuse
from azml_magics.emulator.control_plane.issued_tokens import OBJECT_ID, TENANT
from azml_magics.emulator.http_response import HttpResponse

if TYPE_CHECKING:
    from azml_magics.emulator.control_plane.calls import Services
    from azml_magics.emulator.recorded_requests import RecordedRequest

VAULT = "contoso-vault"
AUDIENCES = ("https://vault.azure.net", "https://vault.azure.cn", "https://vault.usgovcloudapi.net")
_ACTION = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
_PATH = re.compile(rf"(?:/{VAULT})?/secrets/([0-9a-zA-Z-]+)(?:/[0-9a-f]*)?/?")


class KeyVault:
    """A vault whose secrets are in memory."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def respond(self, request: RecordedRequest) -> HttpResponse | None:
        """Return a secret, or None if the path is not one of the vault."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            return None
        if self._services.tokens.find_problem(bearer_of(request), AUDIENCES) is not None:
            authority = f"{self._services.login_url}/{TENANT}"
            challenge = f'Bearer authorization="{authority}", resource="{AUDIENCES[0]}"'
            message = "AKV10000: Request is missing a Bearer or PoP token."
            return refuse(401, "Unauthorized", message, {"www-authenticate": challenge})
        if self._services.faults.denies(_ACTION, VAULT):
            message = (
                f"Caller is not authorized to perform action on resource. Caller: oid={OBJECT_ID} "
                f"Action: '{_ACTION}' Vault: {VAULT}"
            )
            return refuse(403, "Forbidden", message)
        name = match[1]
        if name not in self._services.vault:
            message = f"A secret with (name/id) {name} was not found in this key vault."
            return refuse(404, "SecretNotFound", message)
        now = int(time.time())
        data = {
            "value": self._services.vault[name],
            "id": f"{self._services.url}/secrets/{name}/{0:032x}",  # as a vault of its own host writes it
            "attributes": {"enabled": True, "created": now, "updated": now, "recoveryLevel": "Recoverable"},
        }
        return HttpResponse.flask(data)

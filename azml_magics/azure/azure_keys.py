"""Keys and tokens that Azure Resource Manager gives for an endpoint: `azure-key` and `aml-token`."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azml_magics.core.endpoints import Origin
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.secret import Secret

from .arm import ResourceManager
from .foundry_resources import API_VERSION as ACCOUNT_VERSION
from .ml_workspaces import API_VERSION as WORKSPACE_VERSION

if TYPE_CHECKING:
    from azml_magics.core.key_sources import AmlToken, AzureKey

_KEYS = ("primaryKey", "secondaryKey", "key1", "key2")


@dataclass(frozen=True)
class _Token:
    """A token of Azure ML, and from when on another one is fetched, in seconds since 1970."""

    text: Secret
    refresh_after: float


class TokenStore:
    """The tokens of Azure ML that this process has, by endpoint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}

    def get(self, resource_id: str, refused: Secret | None) -> Secret:
        """Return a token for an endpoint: the one of before, until Azure says that it is to be refreshed."""
        with self._lock:
            token = self._tokens.get(resource_id)
            if token is None or token.refresh_after <= time.time() or token.text == refused:
                token = self._tokens[resource_id] = _fetch_token(resource_id)
            return token.text


_store = TokenStore()


def fetch(source: AzureKey | AmlToken, endpoint_url: str, refused: Secret | None) -> Secret:
    """Return the key or the token that Azure gives for an endpoint.

    Args:
        source: The source, with the id of the endpoint's resource or without it.
        endpoint_url: The endpoint; without an id, its resource is looked for by its host.
        refused: A key that the endpoint refused: another one is returned.

    Raises:
        KeyNotFoundError: There is no such endpoint among the user's resources, or it has no other key.
        AzmlError: Azure refuses to give it; the message names the role.
    """
    resource_id = source.name or _find_resource(endpoint_url)
    if source.is_token:
        return _store.get(resource_id, refused)
    given = _post(f"{resource_id}/listKeys")
    keys = [Secret(given[name]) for name in _KEYS if isinstance(given.get(name), str)]
    key = next((key for key in keys if key and key != refused), None)
    if key is None:
        raise KeyNotFoundError(
            f"Azure lists no {'other ' if refused else ''}key for {_name_of(resource_id)}",
            remedy="Use a token of your sign-in: entra.",
        )
    return key


def _fetch_token(resource_id: str) -> _Token:
    given = _post(f"{resource_id}/token")
    text = Secret(str(given.get("accessToken") or ""))
    if not text:
        raise KeyNotFoundError(f"Azure gave no token for {_name_of(resource_id)}", remedy="Try again in a minute.")
    refresh_after = given.get("refreshAfterTimeUtc") or given.get("expiryTimeUtc") or 0
    return _Token(text, float(refresh_after))


def _post(path: str) -> dict[str, Any]:
    manager = ResourceManager()
    try:
        is_account = "microsoft.cognitiveservices" in path.lower()
        return manager.post(path, ACCOUNT_VERSION if is_account else WORKSPACE_VERSION)
    finally:
        manager.close()


def _find_resource(endpoint_url: str) -> str:
    """Return the id of the resource that the endpoint belongs to, found by its host among the user's resources."""
    from .discovery import discover

    origin = Origin.of(endpoint_url)
    found = {row.resource_id for row in discover() if row.resource_id and Origin.of(row.url) == origin}
    if len(found) == 1:
        return found.pop()
    raise KeyNotFoundError(
        f"{'Several' if found else 'None'} of your Azure resources {'have' if found else 'has'} the host {origin.host}",
        remedy="Name the resource: azure-key:RESOURCE_ID.",
    )


def _name_of(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]

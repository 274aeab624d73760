"""Keys and tokens that Azure Resource Manager gives for an endpoint: `azure-key` and `aml-token`."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from azml_magics.core.endpoints import Origin, base_of
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.key_sources.token_cache import CachedToken, Token
from azml_magics.core.secret import Secret

from .arm import ResourceManager
from .foundry_resources import API_VERSION as ACCOUNT_VERSION
from .ml_workspaces import API_VERSION as WORKSPACE_VERSION

if TYPE_CHECKING:
    from azml_magics.core.key_sources import AmlToken, AzureKey

_KEYS = ("primaryKey", "secondaryKey", "key1", "key2")


class AzureKeys:
    """The keys and tokens that Azure gave to this process, by resource. They are in memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], CachedToken] = {}
        self._resources: dict[str, str] = {}

    def get(self, source: AzureKey | AmlToken, endpoint_url: str, refused: Secret | None) -> Secret:
        """Return the key or token, as `fetch` does."""
        resource_id = source.name or self._resource_of(endpoint_url, source.scheme)
        with self._lock:
            kept = self._kept.setdefault((source.scheme, resource_id.lower()), CachedToken())
        if source.is_token:
            return kept.get(lambda: _fetch_token(resource_id), refused)
        return kept.get(lambda: Token(_list_key(resource_id, refused), math.inf), refused)

    def _resource_of(self, endpoint_url: str, scheme: str) -> str:
        """Return the id of the endpoint's resource; it is looked for once."""
        base = base_of(endpoint_url)
        if base not in self._resources:
            self._resources[base] = _find_resource(endpoint_url, scheme)
        return self._resources[base]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()
            self._resources.clear()


_azure_keys = AzureKeys()


def forget_keys() -> None:
    """Forget the keys and tokens that Azure gave to this process."""
    _azure_keys.clear()


def fetch(source: AzureKey | AmlToken, endpoint_url: str, refused: Secret | None) -> Secret:
    """Return the key or the token that Azure gives for an endpoint.

    A key stays in memory until the endpoint refuses it, a token until Azure's time to refresh it.

    Args:
        source: The source, with the id of the endpoint's resource or without it.
        endpoint_url: The endpoint; without an id, its resource is looked for by its host.
        refused: A key that the endpoint refused: another one is returned.

    Raises:
        KeyNotFoundError: There is no such endpoint among the user's resources, or it has no other key.
        AzmlError: Azure refuses to give it; the message names the role.
    """
    return _azure_keys.get(source, endpoint_url, refused)


def _list_key(resource_id: str, refused: Secret | None) -> Secret:
    given = _post(f"{resource_id}/listKeys")
    keys = [Secret(given[name]) for name in _KEYS if isinstance(given.get(name), str)]
    key = next((key for key in keys if key and key != refused), None)
    if key is None:
        raise KeyNotFoundError(
            f"Azure lists no {'other ' if refused else ''}key for {_name_of(resource_id)}",
            remedy="Use a token of your sign-in: entra.",
        )
    return key


def _fetch_token(resource_id: str) -> Token:
    given = _post(f"{resource_id}/token")
    text = Secret(str(given.get("accessToken") or ""))
    if not text:
        raise KeyNotFoundError(f"Azure gave no token for {_name_of(resource_id)}", remedy="Try again in a minute.")
    return Token(text, float(given.get("expiryTimeUtc") or 0), float(given.get("refreshAfterTimeUtc") or 0))


def _post(path: str) -> dict[str, Any]:
    manager = ResourceManager()
    try:
        is_account = "microsoft.cognitiveservices" in path.lower()
        return manager.post(path, ACCOUNT_VERSION if is_account else WORKSPACE_VERSION)
    finally:
        manager.close()


def _find_resource(endpoint_url: str, scheme: str) -> str:
    """Return the id of the resource that the endpoint belongs to, found by its host among the user's resources."""
    from .discovery import discover

    origin = Origin.of(endpoint_url)
    rows = [row for row in discover() if row.resource_id and Origin.of(row.url) == origin]
    found = {row.resource_id for row in rows}
    if len(found) > 1:  # one gateway for several: the path tells
        found = {row.resource_id for row in rows if _is_below(endpoint_url, row.url)}
    if len(found) == 1:
        return found.pop()
    raise KeyNotFoundError(
        f"{'Several' if found else 'None'} of your Azure resources {'have' if found else 'has'} the host {origin.host}",
        remedy=f"Name the resource: {scheme}:RESOURCE_ID.",
    )


def _is_below(endpoint_url: str, url: str) -> bool:
    """Whether both URLs are of one endpoint, on whatever route."""
    one, other = (f"{base_of(each)}/" for each in (endpoint_url, url))
    return one.startswith(other) or other.startswith(one)


def _name_of(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]

"""Secrets of Azure Key Vault, by azure-keyvault-secrets, which comes with the extra `azure`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azml_magics.core.endpoints import is_loopback
from azml_magics.core.errors import AzmlError, KeyNotFoundError
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

from . import identity, packages
from .clouds import CLOUDS, current_cloud

if TYPE_CHECKING:
    from typing import Any

    from azml_magics.core.key_sources import KeyVaultSecret

_NAME = re.compile(r"[A-Za-z0-9-]+")
_FORBIDDEN, _NOT_FOUND = 403, 404


class _SignIn:
    """The user's sign-in, as a credential of azure-core."""

    def get_token(self, *scopes: str, claims: str = "", tenant_id: str = "", **_options: Any) -> Any:
        """Return a token; the caller keeps it no longer than one request."""
        credentials = packages.import_extra("azure.core.credentials")
        token = identity.get_token(scopes[0], tenant=tenant_id, claims=claims)
        return credentials.AccessToken(token.reveal(), 0)


def fetch(source: KeyVaultSecret, endpoint_url: str, refused: Secret | None) -> Secret:  # noqa: ARG001 - a fetcher's arguments
    """Return the current version of a secret.

    Raises:
        KeyNotFoundError: It is not there, or may not be read; the remedy names the role.
    """
    vault, _, name = source.name.partition("/")
    secrets = packages.import_extra("azure.keyvault.secrets")
    try:
        with secrets.SecretClient(_address(vault), _SignIn()) as client:
            key = Secret(client.get_secret(name).value or "")
    except AzmlError:
        raise
    except Exception as error:
        raise _error(error, vault, name) from error
    if not key:
        raise KeyNotFoundError(f"The secret {name} of the key vault {vault} is empty", remedy="Give it a value.")
    return key


def _address(vault: str) -> str:
    """The URL of a vault, by its name or its host. Only hosts of Azure's vaults are asked: the sign-in goes there."""
    if _NAME.fullmatch(vault):
        return f"https://{vault}.{current_cloud().vault_suffix}"
    host = vault.partition(":")[0].lower()
    if is_loopback(host) or any(host.endswith(f".{cloud.vault_suffix}") for cloud in CLOUDS):
        return f"https://{vault}"
    raise KeyNotFoundError(
        f"{vault} is not a key vault of Azure", remedy="Write the vault's name: keyvault:VAULT/SECRET."
    )


def _error(error: Exception, vault: str, name: str) -> KeyNotFoundError:
    status = getattr(error, "status_code", None)
    if status == _NOT_FOUND:
        return KeyNotFoundError(
            f"The key vault {vault} has no secret {name}",
            remedy="Check the name; `az keyvault secret list` and `az keyvault secret set` show and add them.",
            error_code="no-vault-secret",
        )
    if status == _FORBIDDEN:
        return KeyNotFoundError(
            f"Your sign-in may not read secrets of the key vault {vault}",
            remedy="It needs the role Key Vault Secrets User there, or a firewall rule for this machine: "
            f"{one_line(str(error), 160)}",
            error_code="vault-forbidden",
        )
    return KeyNotFoundError(
        f"The key vault {vault} cannot be asked: {one_line(str(error), 200)}",
        remedy="Check its name, the network and your sign-in (az account show).",
        error_code="vault-unreachable",
    )

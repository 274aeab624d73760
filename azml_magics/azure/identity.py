"""Resolvers of the key references `entra` (azure-identity) and `keyring:SERVICE/NAME` (keyring).

Both packages come with the extra `azure` and are imported when first needed.
"""

from __future__ import annotations

import importlib
from typing import Any

from azml_magics.core.endpoints import entra_scope
from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.install_hint import install_command
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

_credential: Any = None
_SIGN_IN = "Sign in with `az login`, or give the kernel a managed identity or AZURE_CLIENT_ID and its secret."


def entra_token(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    """Return an Entra ID token for the endpoint; azure-identity caches it and renews it before it expires.

    Raises:
        KeyNotFoundError: azure-identity is not installed, or no credential gives a token.
    """
    global _credential  # noqa: PLW0603 - its token cache makes the second call fast
    identity = _import("azure.identity")
    if _credential is None or refresh:
        _credential = identity.DefaultAzureCredential()
    try:
        token = Secret(_credential.get_token(entra_scope(endpoint_url)).token)
    except Exception as error:
        raise KeyNotFoundError(f"No Entra ID token: {one_line(str(error), 200)}", remedy=_SIGN_IN) from error
    if not token:
        raise KeyNotFoundError("No Entra ID token: it is empty", remedy=_SIGN_IN)
    return token


def keyring_key(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    """Return the key that the system keyring holds for SERVICE/NAME.

    Raises:
        KeyNotFoundError: keyring is not installed, cannot be read, or has no such key.
    """
    service, _, user = name.partition("/")
    keyring = _import("keyring")
    try:
        found = keyring.get_password(service, user)
    except Exception as error:
        raise KeyNotFoundError(
            f"The system keyring cannot be read: {one_line(str(error), 200)}",
            remedy="Name another key source, such as env:NAME or ask.",
            error_code="keyring-unreadable",
        ) from error
    key = Secret(found or "")
    if not key:
        raise KeyNotFoundError(
            f"The system keyring has no password for {service}/{user}",
            remedy=f"Store it with `keyring set {service} {user}` in a terminal.",
        )
    return key


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise KeyNotFoundError(
            "This kind of key reference needs the azure extra",
            remedy=f"Run {install_command('azure')}.",
            error_code="azure-extra-missing",
        ) from None

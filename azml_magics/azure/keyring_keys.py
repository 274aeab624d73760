"""Keys in the system keyring, by the package keyring, which comes with the extra `azure`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

from . import packages

if TYPE_CHECKING:
    from azml_magics.core.key_sources import KeyringKey


def fetch(source: KeyringKey, endpoint_url: str, refused: Secret | None) -> Secret:  # noqa: ARG001 - a fetcher's arguments
    """Return the key that the system keyring holds for SERVICE/NAME.

    Raises:
        KeyNotFoundError: keyring is not installed, cannot be read, or has no such key.
    """
    service, user = source.service_and_user
    keyring = packages.import_extra("keyring")
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

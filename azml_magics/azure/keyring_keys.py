"""Keys in the system keyring, by the package keyring, which comes with the extra `azure`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import KeyNotFoundError
from azml_magics.core.paths import user_folder
from azml_magics.core.secret import Secret
from azml_magics.core.text import one_line

from . import packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azml_magics.core.key_sources import KeyringKey


def fetch(source: KeyringKey, endpoint_url: str, refused: Secret | None) -> Secret:  # noqa: ARG001 - a fetcher's arguments
    """Return the key that the system keyring holds for SERVICE/NAME.

    Raises:
        KeyNotFoundError: keyring is not installed, has no backend, cannot be read, or has no such key.
    """
    service, user = source.service_and_user
    keyring = packages.import_extra("keyring")
    key = Secret(_call(keyring.get_password, service, user) or "")
    if not key:
        raise KeyNotFoundError(
            f"The system keyring has no password for {service}/{user}",
            remedy=f"Store it with `keyring set {service} {user}` in a terminal.",
            error_code="keyring-empty",
            facts={"param": str(source)},
        )
    return key


def store(source: KeyringKey, key: Secret) -> None:
    """Store a key in the system keyring, and remember its reference, which is no secret.

    Raises:
        KeyNotFoundError: keyring is not installed, has no backend, or cannot be written.
    """
    keyring = packages.import_extra("keyring")
    _call(keyring.set_password, *source.service_and_user, key.reveal())
    _write_stored({*stored_references(), str(source)})


def delete(source: KeyringKey) -> None:
    """Delete a key from the system keyring.

    Raises:
        KeyNotFoundError: There is no such key, or the keyring cannot be used.
    """
    fetch(source, "", None)
    keyring = packages.import_extra("keyring")
    _call(keyring.delete_password, *source.service_and_user)
    _write_stored({*stored_references()} - {str(source)})


def stored_references() -> list[str]:
    """Return the references whose keys were stored with `store`."""
    path = _index()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["stored"] if path else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(each for each in found if isinstance(each, str)) if isinstance(found, list) else []


def _call(function: Callable[..., Any], *arguments: str) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        if type(error).__name__ == "NoKeyringError":
            raise KeyNotFoundError(
                "This machine has no system keyring",
                remedy="On a server there is often none: use env:NAME or ask; or install keyrings.alt, whose encrypted "
                "file is a keyring, and choose it with PYTHON_KEYRING_BACKEND.",
                error_code="no-keyring",
            ) from error
        raise KeyNotFoundError(
            f"The system keyring cannot be used: {one_line(str(error) or type(error).__name__, 200)}",
            remedy="Unlock it, or name another key source, such as env:NAME or ask.",
            error_code="keyring-unreadable",
        ) from None  # a backend's frames may hold the key


def _index() -> Path | None:
    folder = user_folder()
    return folder / "keyring.json" if folder else None


def _write_stored(references: set[str]) -> None:
    path = _index()
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"stored": sorted(references)}, file)
    except OSError:  # only the list of references suffers: the key is where it belongs
        return

"""Keys that other packages fetch: from the system keyring, Microsoft Entra ID, Azure and Databricks.

The core imports none of these packages. `set_fetcher` says what fetches the keys of a scheme.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import KeyNotFoundError
from .base import KeySource

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..secret import Secret

    Fetcher = Callable[[Any, str, Secret | None], Secret]

_fetchers: dict[str, Fetcher] = {}


def set_fetcher(scheme: str, fetcher: Fetcher) -> None:
    """Set what fetches the keys of a scheme.

    Args:
        scheme: The scheme, such as "entra".
        fetcher: Takes the source, the endpoint's URL and the refused key or None; returns the key.
    """
    _fetchers[scheme] = fetcher


class FetchedKey(KeySource):
    """A key that the fetcher of its scheme gets.

    Attributes:
        scheme: The scheme of its reference.
    """

    scheme: ClassVar[str]

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return what the scheme's fetcher gets."""
        fetcher = _fetchers.get(self.scheme)
        if fetcher is None:
            raise KeyNotFoundError(
                f"Nothing fetches the keys of {self.scheme}", remedy="Name another key source, such as env:NAME."
            )
        return fetcher(self, endpoint_url, refused)


@dataclass(frozen=True)
class KeyringKey(FetchedKey):
    """The key that the system keyring holds under `name`, which is SERVICE/NAME."""

    name: str
    scheme: ClassVar[str] = "keyring"

    def __str__(self) -> str:
        return f"keyring:{self.name}"

    @property
    def service_and_user(self) -> tuple[str, str]:
        """What the keyring calls service and user."""
        service, _, user = self.name.partition("/")
        return service, user


@dataclass(frozen=True)
class KeyVaultSecret(FetchedKey):
    """The current version of a secret in an Azure Key Vault; `name` is VAULT/SECRET."""

    name: str
    scheme: ClassVar[str] = "keyvault"

    def __str__(self) -> str:
        return f"keyvault:{self.name}"

    @property
    def can_refresh(self) -> bool:
        """True: the secret may have a newer version."""
        return True


@dataclass(frozen=True)
class DatabricksSecret(FetchedKey):
    """A secret of a Databricks workspace; `name` is SCOPE/KEY."""

    name: str
    scheme: ClassVar[str] = "databricks"

    def __str__(self) -> str:
        return f"databricks:{self.name}"


@dataclass(frozen=True)
class AmlToken(FetchedKey):
    """A token that Azure ML gives for an online endpoint; `name` is the endpoint's resource id, or ""."""

    name: str = ""
    scheme: ClassVar[str] = "aml-token"
    is_token: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"aml-token:{self.name}" if self.name else "aml-token"

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "a token is fetched when needed"

    def summarize(self, endpoint_url: str = "") -> str:
        """Return the reference with the resource's name in place of its id, and its state."""
        return f"{_shorten(self.scheme, self.name)} ({self.state(endpoint_url)})"


@dataclass(frozen=True)
class AzureKey(FetchedKey):
    """The endpoint's own key, which Azure lists if the role allows it; `name` is the endpoint's resource id, or ""."""

    name: str = ""
    scheme: ClassVar[str] = "azure-key"

    def __str__(self) -> str:
        return f"azure-key:{self.name}" if self.name else "azure-key"

    @property
    def can_refresh(self) -> bool:
        """True: the key may have been regenerated."""
        return True

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "listed when needed"

    def summarize(self, endpoint_url: str = "") -> str:
        """Return the reference with the resource's name in place of its id, and its state."""
        return f"{_shorten(self.scheme, self.name)} ({self.state(endpoint_url)})"


def _shorten(scheme: str, resource_id: str) -> str:
    """Return a reference as "azure-key:…/onlineEndpoints/NAME"."""
    return f"{scheme}:…/{'/'.join(resource_id.split('/')[-2:])}" if resource_id else scheme


ENTRA_METHODS = ("default", "cli", "managed", "device", "browser")
_SCOPE = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,]+", re.IGNORECASE)
_TENANT = re.compile(r"tenant=([A-Za-z0-9][A-Za-z0-9.-]*)")


@dataclass(frozen=True)
class EntraToken(FetchedKey):
    """A Microsoft Entra ID token.

    Attributes:
        method: How to sign in: "cli", "managed", "device" or "browser"; "" for the first way that works.
        asked_scope: The scope; "" for the one of the endpoint's host.
        tenant: The tenant; "" for the one of the sign-in.
    """

    method: str = ""
    asked_scope: str = ""
    tenant: str = ""
    scheme: ClassVar[str] = "entra"
    is_token: ClassVar[bool] = True

    @classmethod
    def parse(cls, name: str) -> EntraToken:
        """Return the source that `name` writes: a method, a scope and `tenant=TENANT`, in any order, between commas.

        Raises:
            ValueError: A part is none of these.
        """
        fields: dict[str, str] = {}
        for part in name.split(",") if name else ():
            text = part.strip()
            if text in ENTRA_METHODS:
                field, value = "method", "" if text == "default" else text
            elif tenant := _TENANT.fullmatch(text):
                field, value = "tenant", tenant[1]
            elif _SCOPE.fullmatch(text):
                field, value = "asked_scope", text
            else:
                raise ValueError("not a way to sign in, a scope or a tenant")
            if field in fields:
                raise ValueError("written twice")
            fields[field] = value
        return cls(**fields)

    def __str__(self) -> str:
        tenant = f"tenant={self.tenant}" if self.tenant else ""
        parts = ",".join(filter(None, (self.method, self.asked_scope, tenant)))
        return f"entra:{parts}" if parts else "entra"

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "a token is fetched when needed"

"""Microsoft Entra ID tokens, by azure-identity, which comes with the extra `azure`; it is imported when needed."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from azml_magics.core.endpoints import entra_scope
from azml_magics.core.errors import ConfigError
from azml_magics.core.key_sources import ENTRA_METHODS
from azml_magics.core.key_sources.sign_in_errors import sign_in_error
from azml_magics.core.key_sources.token_cache import CachedToken, Token
from azml_magics.core.secret import Secret

from . import packages
from .clouds import current_cloud, has_own_login

if TYPE_CHECKING:
    from azml_magics.core.key_sources import EntraToken

_NO_OUTPUT = logging.NullHandler()
_INTERACTIVE = frozenset({"device", "browser"})


class TokenCache:
    """The tokens of this process, by sign-in, tenant and scope."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str, str], CachedToken] = {}
        self._credentials: dict[tuple[str, str], Any] = {}

    def get_token(self, scope: str, source: str, tenant: str, refresh: bool | Secret, claims: str) -> Secret:
        """Return a token, as `identity.get_token` does."""
        with self._lock:
            cached = self._tokens.setdefault((source, tenant, scope), CachedToken())

        def fetch() -> Token:
            is_refused = bool(refresh) and cached.has_token()
            credential = self._credential(source, tenant, renew=is_refused and source not in _INTERACTIVE)
            try:
                return Token.read(credential.get_token(scope, **_options(tenant, claims)))
            except Exception as error:
                raise sign_in_error(error, source=source, tenant=tenant, scope=scope) from error

        return cached.get(fetch, refresh if isinstance(refresh, Secret) else bool(refresh or claims))

    def _credential(self, source: str, tenant: str, *, renew: bool) -> Any:
        """The credential of a sign-in; a new one has no token that was refused, and an interactive one is kept."""
        with self._lock:
            credential = None if renew else self._credentials.get((source, tenant))
            if credential is None:
                credential = self._credentials[source, tenant] = make_credential(source, tenant)
            return credential

    def clear(self) -> None:
        """Forget all tokens and sign-ins."""
        with self._lock:
            self._tokens.clear()
            self._credentials.clear()


def _options(tenant: str, claims: str) -> dict[str, str]:
    return {name: value for name, value in (("tenant_id", tenant), ("claims", claims)) if value}


_tokens = TokenCache()


def get_token(
    scope: str, *, source: str = "", tenant: str = "", refresh: bool | Secret = False, claims: str = ""
) -> Secret:
    """Return a Microsoft Entra ID token.

    Args:
        scope: What it is for, such as "https://management.azure.com/.default".
        source: How to sign in: "cli" (`az login`), "managed" (managed identity), "device" (a code to type in a browser)
            or "browser"; "" for the first that works of DefaultAzureCredential.
        tenant: The tenant; "" for the sign-in's own.
        refresh: Whether to get a new one in place of a cached one. A token that was refused may be given: then only
            one call of many that had it gets a new one.
        claims: What a service demands of the token, from its 401 challenge, decoded; the token is a new one then.

    Raises:
        KeyNotFoundError: azure-identity is not installed, or nobody is signed in.
        ConfigError: There is no such way to sign in.
    """
    if source and source not in ENTRA_METHODS:
        raise ConfigError(f"{source[:40]!r} is not a way to sign in", remedy=f"Use {', '.join(ENTRA_METHODS)}.")
    return _tokens.get_token(scope, "" if source == "default" else source, tenant, refresh, claims)


def forget_tokens() -> None:
    """Forget all tokens and sign-ins of this process."""
    _tokens.clear()


def fetch(source: EntraToken, endpoint_url: str, refused: Secret | None) -> Secret:
    """Return the token that a key reference leads to."""
    scope = source.asked_scope or entra_scope(endpoint_url)
    return get_token(scope, source=source.method, tenant=source.tenant, refresh=refused or False)


def make_credential(source: str, tenant: str = "") -> Any:
    """Return the credential of azure-identity for a way to sign in."""
    identity = packages.import_extra("azure.identity")
    # Without a handler Python prints its warnings: a page of them beside our one line. A user's own handlers get them.
    logging.getLogger("azure.identity").addHandler(_NO_OUTPUT)
    own_tenant = {"tenant_id": tenant} if tenant else {}
    if source == "cli":
        return identity.AzureCliCredential(**own_tenant)
    if source == "managed":
        return identity.ManagedIdentityCredential(**_client_id("client_id"))
    login: dict[str, Any] = {"authority": current_cloud().authority}
    if has_own_login():  # msal asks the public login whether it knows another one, unless it is told not to
        login["disable_instance_discovery"] = True
    if source == "device":
        return identity.DeviceCodeCredential(prompt_callback=_show_code, **own_tenant, **login)
    if source == "browser":
        return identity.InteractiveBrowserCredential(**own_tenant, **login)
    others = {"additionally_allowed_tenants": [tenant]} if tenant else {}
    return identity.DefaultAzureCredential(**_client_id("managed_identity_client_id"), **others, **login)


def _client_id(argument: str) -> dict[str, str]:
    """The managed identity that the environment names; compute instances of Azure ML do it with a name of their own."""
    found = os.environ.get("AZURE_CLIENT_ID") or os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    return {argument: found} if found else {}


def _show_code(address: str, code: str, _expires: Any) -> None:
    print(f"To sign in, open {address} and enter the code {code}.", flush=True)  # noqa: T201 - it waits for this

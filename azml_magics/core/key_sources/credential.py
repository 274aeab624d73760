"""Tokens of the user's own objects: a credential of the Azure SDK, or a function that returns tokens."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, cast, runtime_checkable

from ..endpoints import entra_scope
from ..errors import ConfigError
from . import background_loop
from .base import KeySource
from .sign_in_errors import sign_in_error
from .token_cache import CachedToken, Token, check_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..secret import Secret


@runtime_checkable
class TokenCredential(Protocol):
    """A credential of azure-identity, synchronous or asynchronous, or whatever else has its method."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Return a token for the scopes, with its time of expiry."""
        ...


class CredentialKey(KeySource):
    """Tokens of a credential: any object with `get_token(scope)`, synchronous or asynchronous.

    Args:
        credential: The object, such as a credential of azure-identity.
        name: The variable that holds it, for messages.

    Raises:
        ConfigError: It has no `get_token`.
    """

    is_token: ClassVar[bool] = True

    def __init__(self, credential: TokenCredential, name: str = "") -> None:
        if not callable(getattr(credential, "get_token", None)):
            raise ConfigError(
                f"credential must have get_token(scope), which {type(credential).__name__} has not",
                remedy="Pass a credential of azure-identity.",
                error_code="credential-kind",
            )
        self.credential, self.name = credential, name
        self._lock = threading.Lock()
        self._tokens: dict[str, CachedToken] = {}

    def __str__(self) -> str:
        return f"entra:${self.name}" if self.name else f"entra ({type(self.credential).__name__})"

    def __repr__(self) -> str:
        return f"CredentialKey({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CredentialKey) and other.credential is self.credential

    def __hash__(self) -> int:
        return hash((CredentialKey, id(self.credential)))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A credential is not pickled: use a key reference such as entra instead.")

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return a token for the endpoint's host."""
        return self.token_for(entra_scope(endpoint_url), refused=refused)

    def token_for(self, scope: str, *, refused: Secret | bool | None = None, **options: str) -> Secret:
        """Return a token for `scope`.

        Args:
            scope: What it is for, such as "https://management.azure.com/.default".
            refused: A token that was refused, which a new one has to replace; True for the current one.
            options: What the credential takes beside: `tenant_id`, or `claims` that a service demands.
        """
        return self._cached(scope).get(lambda: self._fetch(scope, **options), refused)

    async def aresolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return a token for the endpoint's host. An asynchronous credential is awaited on the running loop."""
        if not inspect.iscoroutinefunction(self.credential.get_token):
            return cast("Secret", await super().aresolve(endpoint_url, refused=refused))
        scope = entra_scope(endpoint_url)
        return await self._cached(scope).aget(lambda: self._afetch(scope), refused)

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "a token is fetched when needed"

    @property
    def reference(self) -> str:
        """The way to sign in that comes nearest: an object cannot be written to a file."""
        return "entra"

    def _cached(self, scope: str) -> CachedToken:
        with self._lock:
            return self._tokens.setdefault(scope, CachedToken())

    def _fetch(self, scope: str, **options: str) -> Token:
        try:
            given = self.credential.get_token(scope, **options)
            return Token.read(background_loop.run(given) if inspect.isawaitable(given) else given)
        except Exception as error:
            raise sign_in_error(error, scope=scope) from error

    async def _afetch(self, scope: str) -> Token:
        try:
            return Token.read(await self.credential.get_token(scope))
        except Exception as error:
            raise sign_in_error(error, scope=scope) from error


class ProvidedToken(KeySource):
    """Tokens that a function returns, as openai's `azure_ad_token_provider` does. The function keeps them.

    Args:
        provider: Takes nothing and returns a token, or an awaitable of one.

    Raises:
        ConfigError: It cannot be called.
    """

    is_token: ClassVar[bool] = True

    def __init__(self, provider: Callable[[], str | Awaitable[str]]) -> None:
        if not callable(provider):
            raise ConfigError(
                f"azure_ad_token_provider must be a function, not {type(provider).__name__}",
                remedy="Pass azure.identity.get_bearer_token_provider(credential, scope).",
                error_code="credential-kind",
            )
        self.provider = provider

    def __str__(self) -> str:
        return "entra (azure_ad_token_provider)"

    def __repr__(self) -> str:
        return f"ProvidedToken({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProvidedToken) and other.provider is self.provider

    def __hash__(self) -> int:
        return hash((ProvidedToken, id(self.provider)))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token provider is not pickled: use a key reference such as entra instead.")

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:  # noqa: ARG002 - as every source
        """Return what the function returns."""
        try:
            given = self.provider()
            return check_token(background_loop.run(given) if inspect.isawaitable(given) else given)
        except Exception as error:
            raise sign_in_error(error) from error

    async def aresolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return what the function returns; an asynchronous one is awaited on the running loop."""
        if not inspect.iscoroutinefunction(self.provider):
            return cast("Secret", await super().aresolve(endpoint_url, refused=refused))
        try:
            return check_token(await self.provider())
        except Exception as error:
            raise sign_in_error(error) from error

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "a token is fetched when needed"

    @property
    def reference(self) -> str:
        """The way to sign in that comes nearest: a function cannot be written to a file."""
        return "entra"


def token_source(
    credential: TokenCredential | None, provider: Callable[[], str | Awaitable[str]] | None
) -> KeySource | None:
    """Return the source of a client's tokens; None if it was given neither a credential nor a token provider.

    Raises:
        ConfigError: It was given both, or one that gives no tokens.
    """
    if credential is not None and provider is not None:
        raise ConfigError(
            "credential and azure_ad_token_provider are both given, and only one can be used",
            remedy="Leave one of them out.",
            error_code="two-credentials",
        )
    if credential is not None:
        return CredentialKey(credential)
    return None if provider is None else ProvidedToken(provider)

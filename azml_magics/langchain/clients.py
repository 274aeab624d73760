"""The clients that send a model's requests: those of the core, over an httpx client of the user's if one was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..core.client import AsyncClient, Client, default_async_client, default_client
from ..core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

AnyClient = TypeVar("AnyClient", Client, AsyncClient)
Tokens: TypeAlias = tuple[Any, Any]
"""A model's credential and its token provider."""


def has_call(http_client: Any) -> bool:
    """Return whether it is an object with `call(body=…)`, as langchain-community's client, and not an httpx client."""
    return callable(getattr(http_client, "call", None))


class Clients:
    """The core's clients of one model, made when they are needed and again when the model has another httpx client.

    A copy of the model makes its own.
    """

    def __init__(self) -> None:
        self._made: dict[type, tuple[tuple[Any, ...], Any]] = {}

    def sync(self, http_client: Any, http_async_client: Any, tokens: Tokens) -> Client:
        """Return the client of synchronous calls.

        Raises:
            ConfigError: The argument is not a synchronous client, or only an asynchronous one was given.
        """
        if http_client is None and http_async_client is not None:
            raise ConfigError(
                "Only http_async_client was given, and this call does not use it",
                remedy="Pass http_client=… as well, or call ainvoke, astream or abatch.",
                error_code="no-sync-client",
            )
        return self._get(Client, default_client, http_client, tokens)

    def asynchronous(self, http_async_client: Any, tokens: Tokens) -> AsyncClient:
        """Return the client of asynchronous calls.

        Raises:
            ConfigError: The argument is not an asynchronous client.
        """
        return self._get(AsyncClient, default_async_client, http_async_client, tokens)

    def _get(
        self, kind: type[AnyClient], default: Callable[[], AnyClient], http_client: Any, tokens: Tokens
    ) -> AnyClient:
        given = (http_client, *tokens)
        if all(each is None for each in given):
            return default()
        known, client = self._made.get(kind, ((), None))
        if client is None or any(old is not new for old, new in zip(known, given, strict=True)):
            client = kind(http_client=http_client, credential=tokens[0], azure_ad_token_provider=tokens[1])
            self._made[kind] = given, client
        return client  # type: ignore[no-any-return] # stored under its own class

    def __deepcopy__(self, memo: object) -> Clients:
        return Clients()

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        return Clients, ()

"""CachedToken: one token until it expires. Those who want it at the same time share one request."""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from ..secret import Secret

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

_EARLY = 300.0  # seconds before it expires that a token is replaced


class Token(NamedTuple):
    """A token that was given.

    Attributes:
        secret: The token itself.
        expires_on: Seconds since 1970; 0 if it is not known, so that the token is not kept.
        refresh_on: Seconds since 1970 from which a new one should be fetched; 0 for shortly before it expires.
    """

    secret: Secret
    expires_on: float = 0.0
    refresh_on: float = 0.0

    @classmethod
    def read(cls, given: Any) -> Token:
        """Return the token that a credential of azure-identity gave.

        Raises:
            ValueError, TypeError: It is not a token.
        """
        return cls(check_token(given.token), float(getattr(given, "expires_on", 0) or 0))

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return time.time() < (self.refresh_on or self.expires_on - _EARLY)


def check_token(token: Any) -> Secret:
    """Return a token as a Secret.

    Raises:
        ValueError, TypeError: It is empty, or not a string.
    """
    if not isinstance(token, str | Secret):
        raise TypeError(f"it is not a string, but {type(token).__name__}")
    secret = Secret(token) if isinstance(token, str) else token
    if not secret:
        raise ValueError("it is empty")
    return secret


class CachedToken:
    """The token of one sign-in and one scope."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._lock = threading.Lock()
        self._loop_locks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            weakref.WeakKeyDictionary()
        )

    def get(self, fetch: Callable[[], Token], refused: Secret | bool | None = None) -> Secret:
        """Return the token.

        Args:
            fetch: Gets a new one.
            refused: A token that a service refused, which is not returned again; True for the current one.
        """
        with self._lock:
            return self._kept(refused) or self._keep(fetch())

    async def aget(self, fetch: Callable[[], Awaitable[Token]], refused: Secret | None = None) -> Secret:
        """Do what `get` does, on the running event loop."""
        import asyncio  # here: most programs have no event loop

        loop = asyncio.get_running_loop()
        async with self._loop_locks.setdefault(loop, asyncio.Lock()):
            return self._kept(refused) or self._keep(await fetch())

    def has_token(self) -> bool:
        """Whether there is one, good or not."""
        return self._token is not None

    def _kept(self, refused: Secret | bool | None) -> Secret | None:
        token = self._token
        if token is None or refused is True or not token.is_fresh or token.secret == refused:
            return None
        return token.secret

    def _keep(self, token: Token) -> Secret:
        self._token = token
        return token.secret

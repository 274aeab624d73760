"""KeySource: what every kind of key source does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ..secret import Secret  # noqa: TC001 - get_type_hints() needs it


class KeySource(ABC):
    """Where a config's key comes from. `str()` of it is the reference that leads to it.

    Attributes:
        is_token: Whether the key is a token, which is sent as a Bearer token and expires.
        is_prompted: Whether the user types the key.
        is_slow: Whether a lookup may wait for a program or a service. Event loops do that in a thread.
    """

    is_token: ClassVar[bool] = False
    is_prompted: ClassVar[bool] = False
    is_slow: ClassVar[bool] = True

    @property
    def can_refresh(self) -> bool:
        """Whether a key that was refused (401) may be replaced by a new one, once."""
        return self.is_token

    @abstractmethod
    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret | None:
        """Return the key for `endpoint_url`; None if none is sent.

        Args:
            endpoint_url: The endpoint; a token or a typed key is for its host.
            refused: A key that the endpoint refused, and that a new one has to replace.

        Raises:
            KeyNotFoundError: There is none; the remedy says how to provide one.
        """

    async def aresolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret | None:
        """Do what `resolve` does, without holding up the running event loop."""
        if not self.is_slow:
            return self.resolve(endpoint_url, refused=refused)
        import asyncio  # here: most programs have no event loop

        return await asyncio.to_thread(self.resolve, endpoint_url, refused=refused)

    def is_found(self, endpoint_url: str = "") -> bool | None:  # noqa: ARG002 - a prompted key depends on it
        """Whether the key is there; None if only a request can tell. Nothing is prompted for or fetched."""
        return None

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - a prompted key depends on it
        """Return in words whether the key is there."""
        return "looked up when needed"

    def describe(self, endpoint_url: str = "") -> str:
        """Return the reference and its state, such as "env:NAME (not set)". The key is never in it."""
        return f"{self} ({self.state(endpoint_url)})"

    def summarize(self, endpoint_url: str = "") -> str:
        """Return what `describe` does, without the long id of a resource; for a line of a list."""
        return self.describe(endpoint_url)

    @property
    def reference(self) -> str | None:
        """The reference that may be written to a file in its place; None if only memory holds the key."""
        return str(self)

"""Keys of this process: in an environment variable, in memory, or none at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from ..errors import KeyNotFoundError
from ..secret import Secret
from .base import KeySource

NO_KEY = "none"  # the word for a server that needs no key


@dataclass(frozen=True)
class EnvKey(KeySource):
    """The key in the environment variable `name`."""

    name: str
    is_slow: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"env:{self.name}"

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:  # noqa: ARG002 - as every source
        """Return the variable's value."""
        key = Secret(os.environ.get(self.name, ""))
        if not key:
            raise KeyNotFoundError(
                f"No key: the environment variable {self.name} is not set",
                remedy=f"Set it, such as with `import os, getpass; os.environ[{self.name!r}] = getpass.getpass()`, "
                "or name another key source: ask, keyring:SERVICE/NAME or entra (none sends no key).",
                error_code="key-variable-not-set",
                facts={"param": self.name},
            )
        return key

    def is_found(self, endpoint_url: str = "") -> bool:  # noqa: ARG002 - as every source
        """Whether the variable is set and not blank."""
        return bool(os.environ.get(self.name, "").strip())

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return "set" or "not set"."""
        return "set" if self.is_found() else "not set"


@dataclass(frozen=True)
class LiteralKey(KeySource):
    """A key in memory, for this session only."""

    secret: Secret
    is_slow: ClassVar[bool] = False

    def __str__(self) -> str:
        return "in memory"

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:  # noqa: ARG002 - as every source
        """Return the key."""
        return self.secret

    def is_found(self, endpoint_url: str = "") -> bool:  # noqa: ARG002 - as every source
        """Return True."""
        return True

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return how long the key is kept."""
        return "in memory, for this session only"

    def describe(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return "in memory"."""
        return str(self)

    @property
    def reference(self) -> None:
        """None: the key is nowhere else."""


@dataclass(frozen=True)
class NoKey(KeySource):
    """No key: nothing is sent."""

    is_slow: ClassVar[bool] = False

    def __str__(self) -> str:
        return NO_KEY

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> None:
        """Return None."""

    def is_found(self, endpoint_url: str = "") -> bool:  # noqa: ARG002 - as every source
        """Return True: nothing is missing."""
        return True

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that no key is sent."""
        return "no key is sent"

    def describe(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return "none"."""
        return NO_KEY

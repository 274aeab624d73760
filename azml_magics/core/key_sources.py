"""Key sources: how each kind of reference leads to a key, and what can be told of it in words.

Which source a config has is decided in `keys.key_source`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .endpoints import Origin
from .errors import KeyNotFoundError
from .install_hint import install_command
from .secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

NO_KEY = "none"  # the word for a server that needs no key


class KeySource(ABC):
    """Where a config's key comes from.

    Attributes:
        is_token: whether the key is a token, which expires and may be refreshed after a 401.
        is_prompted: whether the user types the key.
    """

    is_token: ClassVar[bool] = False
    is_prompted: ClassVar[bool] = False

    @abstractmethod
    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret | None:
        """Return the key for `endpoint_url`; None if none is sent. Raises KeyNotFoundError."""

    def is_found(self, endpoint_url: str = "") -> bool | None:  # noqa: ARG002 - a prompted key depends on it
        """Whether the key is there; None if only a request can tell. Nothing is prompted for or fetched."""
        return None

    @abstractmethod
    def state(self, endpoint_url: str = "") -> str:
        """Return in words whether the key is there."""

    def describe(self, endpoint_url: str = "") -> str:
        """Return the reference and its state, such as "env:NAME (not set)". The key is never in it."""
        return f"{self} ({self.state(endpoint_url)})"


@dataclass(frozen=True)
class EnvKey(KeySource):
    """The key in the environment variable `name`."""

    name: str

    def __str__(self) -> str:
        return f"env:{self.name}"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:  # noqa: ARG002 - as every source
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
class KeyringKey(KeySource):
    """The key that the system keyring holds under `name`, which is SERVICE/NAME."""

    name: str

    def __str__(self) -> str:
        return f"keyring:{self.name}"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """Return the keyring's password."""
        return _RESOLVERS["keyring"](self.name, endpoint_url, refresh)

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "looked up when needed"


@dataclass(frozen=True)
class EntraToken(KeySource):
    """A Microsoft Entra ID token for the endpoint."""

    is_token: ClassVar[bool] = True

    def __str__(self) -> str:
        return "entra"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """Return a token; it is cached until shortly before it expires."""
        return _RESOLVERS["entra"]("", endpoint_url, refresh)

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that only a request can tell."""
        return "a token is fetched when needed"


@dataclass(frozen=True)
class AmlToken(KeySource):
    """An Azure ML token, which cannot be fetched yet; the error says what to use instead."""

    is_token: ClassVar[bool] = True

    def __str__(self) -> str:
        return "aml-token"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """Raise KeyNotFoundError."""
        return _RESOLVERS["aml-token"]("", endpoint_url, refresh)

    def state(self, endpoint_url: str = "") -> str:  # noqa: ARG002 - as every source
        """Return that it does not work."""
        return "not available yet"


@dataclass(frozen=True)
class PromptedKey(KeySource):
    """A key that the user types once; it is kept in memory for the endpoint's host and for this session."""

    is_prompted: ClassVar[bool] = True

    def __str__(self) -> str:
        return "ask"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """Return the typed key, after prompting for it if it was not typed yet or `refresh` is set."""
        origin = Origin.of(endpoint_url)
        if origin not in _typed_keys or refresh:
            _typed_keys[origin] = _prompt_for_key(origin)
        return _typed_keys[origin]

    def is_found(self, endpoint_url: str = "") -> bool | None:
        """Return True if a key was typed for the host, else None: it is prompted for when needed."""
        return True if is_typed(endpoint_url) else None

    def state(self, endpoint_url: str = "") -> str:
        """Return whether the key was typed."""
        return "typed, for this session" if is_typed(endpoint_url) else "asked when needed"


@dataclass(frozen=True)
class LiteralKey(KeySource):
    """A key in memory, for this session only."""

    secret: Secret

    def __str__(self) -> str:
        return "in memory"

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:  # noqa: ARG002 - as every source
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


@dataclass(frozen=True)
class NoKey(KeySource):
    """No key: nothing is sent."""

    def __str__(self) -> str:
        return NO_KEY

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> None:
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


# ---- keys that were typed ------------------------------------------------------------------------------------

_typed_keys: dict[Origin, Secret] = {}


def remember_key(endpoint_url: str, key: Secret) -> None:
    """Keep `key` for the endpoint's host: `ask` does not prompt for it again in this session."""
    _typed_keys[Origin.of(endpoint_url)] = key


def is_typed(endpoint_url: str) -> bool:
    """Whether a key was typed for the endpoint's host in this session."""
    return Origin.of(endpoint_url) in _typed_keys


def forget_typed_keys() -> None:
    """Forget every key that was typed in this session."""
    _typed_keys.clear()


def _prompt_for_key(origin: Origin) -> Secret:
    import getpass

    try:
        key = Secret(getpass.getpass(f"Key for {str(origin) or 'the endpoint'}: "))
    except Exception as error:  # EOFError in a script, ipykernel's StdinNotImplementedError under "Run all"
        raise KeyNotFoundError(
            "The key cannot be typed here",
            remedy="Name another key source: env:NAME or keyring:SERVICE/NAME.",
            error_code="key-prompt-impossible",
        ) from error
    if not key:
        raise KeyNotFoundError(
            "No key was typed",
            remedy="Try again and type it, or name another key source, such as env:NAME.",
            error_code="no-key-typed",
        )
    return key


# ---- resolvers that need other packages ----------------------------------------------------------------------


def register_resolver(scheme: str, resolver: Callable[[str, str, bool], Secret]) -> None:
    """Set what fetches the keys of a scheme, so that the core need not import azure-identity and keyring.

    Args:
        scheme: "entra", "keyring" or "aml-token".
        resolver: Takes the reference's name, the endpoint's URL and whether to refresh; returns the key.
    """
    _RESOLVERS[scheme] = resolver


def _require_extra(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    raise KeyNotFoundError(
        "This kind of key reference needs the azure extra",
        remedy=f"Run {install_command('azure')}.",
        error_code="azure-extra-missing",
    )


def _refuse_aml_token(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    raise KeyNotFoundError(
        "An Azure ML token cannot be fetched yet",
        remedy="Put one (az ml online-endpoint get-credentials) into an environment variable and refer to it as "
        "env:NAME, or use entra.",
        error_code="aml-token",
    )


_RESOLVERS: dict[str, Callable[[str, str, bool], Secret]] = {
    "keyring": _require_extra,
    "entra": _require_extra,
    "aml-token": _refuse_aml_token,
}

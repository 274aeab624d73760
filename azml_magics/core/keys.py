"""Keys: a Secret that cannot be printed, and a KeyRef that says where a key is without holding it.

References: `env:NAME` (environment variable), `keyring:SERVICE/NAME` (system keyring), `entra` (Microsoft Entra ID
token), `ask` (typed once, kept for this session).
`aml-token` is understood, and says what to use in its place until endpoints can be looked up in a workspace.
"""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from .endpoints import Origin
from .errors import ConfigError, KeyNotFoundError, KeyRefusedError
from .redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_KEY = "env:AZUREML_ENDPOINT_API_KEY"
NO_KEY = "none"  # what a person writes for a server that takes none
_GRAMMAR = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "keyring": re.compile(r"[^/]+/.+"),
    "entra": re.compile(r""),
    "aml-token": re.compile(r""),
    "ask": re.compile(r""),
}
_FORMS = "env:NAME, keyring:SERVICE/NAME, entra, ask or none"
_TOKENS = ("entra", "aml-token")


class Secret:
    """A key in memory that no print, log, format, traceback, copy to disk or pickle can show.

    A leading "Bearer " and white space around it are stripped: people paste them along.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = re.sub(r"(?i)^\s*bearer(\s+|$)", "", value).strip()

    def reveal(self) -> str:
        """The key itself, for the Authorization header and nothing else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (key.reveal().encode("utf-8", "surrogatepass") for key in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is never pickled: keep a key reference such as env:NAME instead.")


@dataclass(frozen=True)
class KeyRef:
    """A reference to a key: `scheme` and `name`, printed as "env:NAME"."""

    scheme: str
    name: str = ""

    def __post_init__(self) -> None:
        grammar = _GRAMMAR.get(self.scheme)
        if grammar is None or not grammar.fullmatch(self.name):
            raise ConfigError("A key reference is incomplete or has a wrong name", remedy=f"Write {_FORMS}.")

    @classmethod
    def parse(cls, text: str) -> KeyRef:
        """The reference that `text` writes; KeyRefusedError where it looks like a key itself."""
        scheme, _, name = text.strip().partition(":")
        if scheme not in _GRAMMAR:
            raise KeyRefusedError(
                "That is not a key reference, and a key itself would stay in the notebook and its history",
                remedy=f"Write {_FORMS}.",
            )
        return cls(scheme, name)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}" if self.name else self.scheme

    @property
    def is_token(self) -> bool:
        """True for references that lead to an expiring token, which may be refreshed after a 401."""
        return self.scheme in _TOKENS

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """The key for `endpoint_url`; KeyNotFoundError, with the remedy, where there is none."""
        return _RESOLVERS[self.scheme](self.name, endpoint_url, refresh)

    def is_found(self) -> bool | None:
        """Whether the key is there, without asking anybody: None where only a try can tell."""
        if self.scheme == "env":
            return bool(os.environ.get(self.name, "").strip())
        return None


def register_resolver(scheme: str, resolver: Callable[[str, str, bool], Secret]) -> None:
    """Make `resolver` the source of keys for `scheme`: how the azure room joins without the core importing it."""
    _RESOLVERS[scheme] = resolver


def _from_environment(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    key = Secret(os.environ.get(name, ""))
    if not key:
        raise KeyNotFoundError(
            f"No key: the environment variable {name} is not set",
            remedy=f"Set it, such as with `import os, getpass; os.environ[{name!r}] = getpass.getpass()`, "
            "or name another key source: ask, keyring:SERVICE/NAME or entra (none sends no key).",
            error_code="key-variable-not-set",
            facts={"param": name},
        )
    return key


_ASKED: dict[Origin, Secret] = {}


def answer(endpoint_url: str, key: Secret) -> None:
    """Keep `key` as what was typed for the endpoint's host: `ask` does not ask for it any more in this session."""
    _ASKED[Origin.of(endpoint_url)] = key


def is_answered(endpoint_url: str) -> bool:
    """Whether a key was typed for the endpoint's host in this session."""
    return Origin.of(endpoint_url) in _ASKED


def _from_the_person(name: str, endpoint_url: str, refresh: bool) -> Secret:  # noqa: ARG001 - a resolver's signature
    origin = Origin.of(endpoint_url)
    if origin not in _ASKED or refresh:
        import getpass

        try:
            key = Secret(getpass.getpass(f"Key for {origin or 'the endpoint'}: "))
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
        _ASKED[origin] = key
    return _ASKED[origin]


def forget_asked_keys() -> None:
    """Forget every key that was typed in this session."""
    _ASKED.clear()


def _unavailable(name: str, endpoint_url: str, refresh: bool) -> NoReturn:  # noqa: ARG001 - a resolver's signature
    raise KeyNotFoundError(
        "This kind of key reference needs the azure extra",
        remedy='Run pip install "azml-magics[azure]".',
        error_code="azure-extra-missing",
    )


def _no_aml_token(name: str, endpoint_url: str, refresh: bool) -> NoReturn:  # noqa: ARG001 - a resolver's signature
    raise KeyNotFoundError(
        "An Azure ML token cannot be fetched yet",
        remedy="Put one (az ml online-endpoint get-credentials) into an environment variable and refer to it as "
        "env:NAME, or use entra.",
        error_code="aml-token",
    )


_RESOLVERS: dict[str, Callable[[str, str, bool], Secret]] = {
    "env": _from_environment,
    "ask": _from_the_person,
    "keyring": _unavailable,
    "entra": _unavailable,
    "aml-token": _no_aml_token,
}

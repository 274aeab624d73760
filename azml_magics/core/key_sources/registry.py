"""The schemes of key references: what may follow each of them, and the source that it leads to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import ConfigError, KeyNotFoundError
from ..secret import Secret
from .base import KeySource
from .fetched import AmlToken, AzureKey, DatabricksSecret, EntraToken, KeyringKey, KeyVaultSecret
from .local import NO_KEY, EnvKey
from .typed import PromptedKey

KeyFunction: TypeAlias = Callable[[str], "Secret | str"]

_SCHEME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PAIR = r"[^/]+/.+"
_RESOURCE = (
    r"(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.(MachineLearningServices/workspaces/[^/]+/"
    r"(onlineEndpoints|serverlessEndpoints)|CognitiveServices/accounts)/[^/]+)?"
)


@dataclass(frozen=True)
class Scheme:
    """One kind of reference.

    Attributes:
        form: How it is written, such as "env:NAME".
        grammar: What may follow the colon.
        make: Makes the source from that; raises ValueError if it is wrong.
    """

    form: str
    grammar: re.Pattern[str]
    make: Callable[[str], KeySource]

    def source(self, name: str) -> KeySource | None:
        """Return the source; None if `name` does not fit."""
        if not self.grammar.fullmatch(name):
            return None
        try:
            return self.make(name)
        except ValueError:
            return None


def _scheme(form: str, grammar: str, make: Callable[[str], KeySource]) -> Scheme:
    return Scheme(form, re.compile(grammar, re.IGNORECASE), make)


_BUILT_IN = {
    "env": _scheme("env:NAME", r"[A-Za-z_][A-Za-z0-9_]*", EnvKey),
    "keyring": _scheme("keyring:SERVICE/NAME", _PAIR, KeyringKey),
    "ask": _scheme("ask with nothing after it", "", lambda _name: PromptedKey()),
    "entra": _scheme(
        "entra, or entra: with cli, managed, device, browser, a scope or tenant=TENANT", r"(\S+)?", EntraToken.parse
    ),
    "azure-key": _scheme("azure-key or azure-key:RESOURCE_ID", _RESOURCE, AzureKey),
    "aml-token": _scheme("aml-token or aml-token:RESOURCE_ID", _RESOURCE, AmlToken),
    "keyvault": _scheme("keyvault:VAULT/SECRET", r"[A-Za-z0-9.:-]+/[A-Za-z0-9-]+", KeyVaultSecret),
    "databricks": _scheme("databricks:SCOPE/KEY", _PAIR, DatabricksSecret),
}
_schemes: dict[str, Scheme] = dict(_BUILT_IN)


def schemes() -> dict[str, Scheme]:
    """Return the schemes that exist, by their names."""
    return dict(_schemes)


def scheme_of(name: str) -> Scheme | None:
    """Return the scheme of that name, or None."""
    return _schemes.get(name)


def register_key_source(scheme: str, source: KeyFunction | type[KeySource]) -> None:
    """Register a kind of key reference: `SCHEME:NAME` then works wherever a key reference does.

    Args:
        scheme: Lower-case letters, digits and hyphens.
        source: A function that takes NAME and returns the key, or a subclass of `KeySource` that is made with NAME.

    Raises:
        ConfigError: The scheme is built in or cannot be one, or the source cannot be called.

    Examples:
        register_key_source("op", lambda name: subprocess.check_output(["op", "read", f"op://{name}"], text=True))
    """
    if not isinstance(scheme, str) or not _SCHEME.fullmatch(scheme) or scheme in {NO_KEY, *_BUILT_IN}:
        raise ConfigError(
            f"{str(scheme)[:40]!r} cannot be the scheme of a key source",
            remedy=f"Use lower-case letters, digits and hyphens; {', '.join(_BUILT_IN)} and {NO_KEY} are taken.",
        )
    if not callable(source):
        raise ConfigError(
            f"A key source must be a function or a subclass of KeySource, not {type(source).__name__}",
            remedy="Pass a function that takes the name and returns the key.",
        )
    is_class = isinstance(source, type) and issubclass(source, KeySource)
    # a class makes its sources when it is called, which mypy does not see behind `is_class`
    make: Callable[[str], KeySource] = source if is_class else lambda name: CalledKey(scheme, name, source)  # type: ignore[assignment, arg-type]
    _schemes[scheme] = Scheme(f"{scheme}:NAME", re.compile(r"[^\x00-\x1f]*"), make)


@dataclass(frozen=True)
class CalledKey(KeySource):
    """A key that a registered function returns."""

    scheme: str
    name: str
    function: KeyFunction

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}" if self.name else self.scheme

    @property
    def can_refresh(self) -> bool:
        """True: the function is called again."""
        return True

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:  # noqa: ARG002 - as every source
        """Return what the function returns."""
        remedy = f"Look at the function that was registered for {self.scheme}."
        try:
            found = self.function(self.name)
        except Exception as error:
            raise KeyNotFoundError(
                f"The key source {self} raised {type(error).__name__}", remedy=remedy, error_code="key-source-failed"
            ) from error
        if not isinstance(found, str | Secret):
            raise KeyNotFoundError(
                f"The key source {self} returned {type(found).__name__}, not a key",
                remedy=remedy,
                error_code="key-source-failed",
            )
        key = Secret(found) if isinstance(found, str) else found
        if not key:
            raise KeyNotFoundError(
                f"The key source {self} returned no key", remedy=remedy, error_code="key-source-failed"
            )
        return key

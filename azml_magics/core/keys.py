"""KeyRef: a reference to a key, which says where the key is without holding it.

References: `env:NAME` (environment variable), `keyring:SERVICE/NAME` (system keyring), `entra` (Microsoft Entra ID
token), `ask` (typed once, kept for this session). `aml-token` is understood; its error says what to use instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ConfigError, KeyRefusedError
from .key_sources import AmlToken, EntraToken, EnvKey, KeyringKey, LiteralKey, NoKey, PromptedKey
from .secret import Secret

if TYPE_CHECKING:
    from .key_sources import KeySource

DEFAULT_KEY = "env:AZUREML_ENDPOINT_API_KEY"
_GRAMMAR = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "keyring": re.compile(r"[^/]+/.+"),
    "entra": re.compile(r""),
    "aml-token": re.compile(r""),
    "ask": re.compile(r""),
}
_FORMS = "env:NAME, keyring:SERVICE/NAME, entra, ask or none"


@dataclass(frozen=True)
class KeyRef:
    """A reference to a key, printed as "env:NAME". It does not hold the key.

    Args:
        scheme: "env", "keyring", "entra" or "ask".
        name: The variable's name, or SERVICE/NAME in the keyring; "" for the other schemes.

    Raises:
        ConfigError: There is no such scheme, or the name does not fit it.
    """

    scheme: str
    name: str = ""

    def __post_init__(self) -> None:
        grammar = _GRAMMAR.get(self.scheme)
        if grammar is None or not grammar.fullmatch(self.name):
            raise ConfigError("A key reference is incomplete or has a wrong name", remedy=f"Write {_FORMS}.")

    @classmethod
    def parse(cls, text: str) -> KeyRef:
        """Return the reference that `text` writes, such as "env:NAME".

        Raises:
            KeyRefusedError: The text is not a reference, and may be a key itself. The error does not repeat it.
            ConfigError: The reference is incomplete.
        """
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
        """Whether the reference leads to a token, which expires and may be refreshed after a 401."""
        return key_source(self).is_token

    def resolve(self, endpoint_url: str = "", *, refresh: bool = False) -> Secret:
        """Return the key for `endpoint_url`.

        Args:
            endpoint_url: The endpoint; a token or a typed key is for its host.
            refresh: Whether to get a new token in place of a cached one.

        Raises:
            KeyNotFoundError: There is none; the remedy says how to provide one.
        """
        key = key_source(self).resolve(endpoint_url, refresh=refresh)
        assert key is not None
        return key

    def is_found(self) -> bool | None:
        """Whether the key is there; None if only a request can tell. Nothing is prompted for or fetched."""
        return key_source(self).is_found()


def key_source(key: KeyRef | Secret | None) -> KeySource:
    """Return the source of a config's `key`: what a reference names, the key itself, or no key."""
    if key is None:
        return NoKey()
    if isinstance(key, Secret):
        return LiteralKey(key)
    if key.scheme == "env":
        return EnvKey(key.name)
    if key.scheme == "keyring":
        return KeyringKey(key.name)
    if key.scheme == "ask":
        return PromptedKey()
    return EntraToken() if key.scheme == "entra" else AmlToken()

"""KeyRef: a reference to a key, which says where the key is without holding it.

References: `env:NAME` (environment variable), `keyring:SERVICE/NAME` (system keyring), `ask` (typed once, kept for this
session), `entra` (Microsoft Entra ID token; `entra:cli`, `entra:device,tenant=TENANT`, `entra:SCOPE`, …), `azure-key`
and `aml-token` (the endpoint's own key or token, which Azure gives), `keyvault:VAULT/SECRET`, `databricks:SCOPE/KEY`,
and those that `register_key_source` adds.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ConfigError, KeyRefusedError
from .key_sources import KeySource, LiteralKey, NoKey
from .key_sources.registry import Scheme, scheme_of
from .secret import Secret

DEFAULT_KEY = "env:AZUREML_ENDPOINT_API_KEY"


@dataclass(frozen=True)
class KeyRef:
    """A reference to a key, printed as "env:NAME". It does not hold the key.

    Args:
        scheme: "env", "keyring", "entra", "ask", …
        name: The variable's name, SERVICE/NAME in the keyring, …; "" for schemes that need none.

    Raises:
        ConfigError: There is no such scheme, or the name does not fit it.
    """

    scheme: str
    name: str = ""

    def __post_init__(self) -> None:
        found = scheme_of(self.scheme)
        if found is None or found.source(self.name) is None:
            raise ConfigError("A key reference is incomplete or has a wrong name", remedy=_ways(found))

    @classmethod
    def parse(cls, text: str) -> KeyRef:
        """Return the reference that `text` writes, such as "env:NAME".

        Raises:
            KeyRefusedError: The text is not a reference, and may be a key itself. The error does not repeat it.
            ConfigError: The reference is incomplete.
        """
        scheme, _, name = text.strip().partition(":")
        if scheme_of(scheme) is None:
            raise KeyRefusedError(
                "That is not a key reference, and a key itself would stay in the notebook and its history",
                remedy=_ways(None),
            )
        return cls(scheme, name)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}" if self.name else self.scheme

    @property
    def is_token(self) -> bool:
        """Whether the reference leads to a token, which expires and may be refreshed after a 401."""
        return key_source(self).is_token

    def resolve(self, endpoint_url: str = "", *, refused: Secret | None = None) -> Secret:
        """Return the key for `endpoint_url`.

        Args:
            endpoint_url: The endpoint; a token or a typed key is for its host.
            refused: A key that the endpoint refused, and that a new one has to replace.

        Raises:
            KeyNotFoundError: There is none; the remedy says how to provide one.
        """
        key = key_source(self).resolve(endpoint_url, refused=refused)
        assert key is not None
        return key

    def is_found(self) -> bool | None:
        """Whether the key is there; None if only a request can tell. Nothing is prompted for or fetched."""
        return key_source(self).is_found()


def is_reference(text: str) -> bool:
    """Whether `text` writes a whole key reference."""
    scheme, _, name = text.strip().partition(":")
    found = scheme_of(scheme)
    return found is not None and found.source(name) is not None


def key_source(key: KeyRef | Secret | KeySource | None) -> KeySource:
    """Return the source of a config's `key`: what a reference names, the key itself, or no key.

    Raises:
        ConfigError: The reference comes from another process, and its scheme is not registered in this one.
    """
    if key is None:
        return NoKey()
    if isinstance(key, KeySource):
        return key
    if isinstance(key, Secret):
        return LiteralKey(key)
    found = scheme_of(key.scheme)
    source = found.source(key.name) if found is not None else None
    if source is None:
        raise ConfigError(
            f"There is no key source {key.scheme} here",
            remedy="Register it first, with register_key_source.",
            error_code="key-source-unknown",
        )
    return source


def _ways(scheme: Scheme | None) -> str:
    if scheme is None:
        return "Write env:NAME, keyring:SERVICE/NAME, entra, ask or none."
    return f"Write {scheme.form}."

"""Key sources: how each kind of reference leads to a key, and what can be told of it in words.

Which source a config has is decided in `keys.key_source`.
"""

from __future__ import annotations

from .base import KeySource
from .credential import CredentialKey, ProvidedToken, TokenCredential, token_source
from .fetched import (
    ENTRA_METHODS,
    AmlToken,
    AzureKey,
    DatabricksSecret,
    EntraToken,
    KeyringKey,
    KeyVaultSecret,
    set_fetcher,
)
from .local import NO_KEY, EnvKey, LiteralKey, NoKey
from .registry import register_key_source
from .typed import PromptedKey, forget_typed_keys, is_typed, prompt_for_key, remember_key

__all__ = [
    "ENTRA_METHODS",
    "NO_KEY",
    "AmlToken",
    "AzureKey",
    "CredentialKey",
    "DatabricksSecret",
    "EntraToken",
    "EnvKey",
    "KeySource",
    "KeyVaultSecret",
    "KeyringKey",
    "LiteralKey",
    "NoKey",
    "PromptedKey",
    "ProvidedToken",
    "TokenCredential",
    "forget_typed_keys",
    "is_typed",
    "prompt_for_key",
    "register_key_source",
    "remember_key",
    "set_fetcher",
    "token_source",
]

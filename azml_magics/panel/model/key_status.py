"""Whether a config's key can be found, for the sign beside the key field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azml_magics.core.keys import KeyRef, is_answered

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig


class KeyStatus(NamedTuple):
    """Whether a key is available.

    Attributes:
        is_found: None if only a request can tell.
        text: the same in words, with what to do if it is missing.
    """

    is_found: bool | None
    text: str


def key_status(config: LLMConfig) -> KeyStatus:
    """Whether the config's key is available, without fetching a token or opening a keyring."""
    key = config.key
    if key is None:
        return KeyStatus(True, "no key is sent")
    if not isinstance(key, KeyRef):
        return KeyStatus(True, "in memory, for this session only")
    is_found = key.is_found()
    if is_found:
        return KeyStatus(True, f"{key.name} is set")
    if is_found is not None:
        return KeyStatus(False, f"{key.name} is not set: set it before starting Jupyter, or type the key below")
    if key.scheme == "ask":
        is_typed = is_answered(config.endpoint_url)
        return KeyStatus(is_typed, "typed, for this session" if is_typed else "type the key below")
    return KeyStatus(None, "a token is fetched when needed" if key.is_token else "looked up when needed")

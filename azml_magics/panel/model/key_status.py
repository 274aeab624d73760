"""Whether a config's key can be found, for the sign beside the key field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from azml_magics.core.key_sources import EnvKey

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
    source, url = config.key_source, config.endpoint_url
    is_found, state = source.is_found(url), source.state(url)
    if isinstance(source, EnvKey):
        state = f"{source.name} is {state}"
        if not is_found:
            state += ": set it before starting Jupyter, or type the key below"
    elif source.is_prompted and not is_found:
        is_found, state = False, "type the key below"
    return KeyStatus(is_found, state)

"""Checks before anything is sent from the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core import key_sources
from azml_magics.core.errors import ConfigError
from azml_magics.core.http import recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.core.config import LLMConfig


def check_fields(errors: Mapping[str, str]) -> None:
    """Raise ConfigError for the first field that cannot be read."""
    for field, message in errors.items():
        raise ConfigError(f"{field}: {message}", error_code="formatter-field" if field == "formatter" else "")


def check_url(config: LLMConfig) -> None:
    """Raise ConfigError if the config has no URL."""
    if not config.endpoint_url:
        raise ConfigError("There is no endpoint", error_code="no-endpoint-url")


def check_typed_key(config: LLMConfig) -> None:
    """Raise ConfigError if the key would have to be prompted for, which the worker's thread cannot do."""
    is_prompted = any(source.is_prompted for source in config.all_key_sources)
    if is_prompted and not recording.is_replaying() and not key_sources.is_typed(config.endpoint_url):
        raise ConfigError(
            f"No key was typed for {config.name or 'this endpoint'} in this session",
            error_code="no-key-typed",
        )

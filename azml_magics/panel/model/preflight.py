"""Checks before anything is sent from the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azml_magics.core import key_sources
from azml_magics.core.errors import ConfigError, UsageError
from azml_magics.core.http import recording
from azml_magics.core.text import one_line
from azml_magics.core.wire.kwarg_types import find_texts_for_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azml_magics.compare.plan import Plan
    from azml_magics.core.config import LLMConfig

MAX_REQUESTS: Final = 100  # of one click


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


def check_plan(plan: Plan) -> None:
    """Raise UsageError if there is nothing to compare, or if it is too much: a mistyped number costs tokens."""
    if plan.repeats < 1:
        raise UsageError(f"Repeat takes a number of at least 1, not {plan.repeats}")
    if plan.size > MAX_REQUESTS:
        raise UsageError(f"That would be {plan}", remedy=f"One click sends at most {MAX_REQUESTS} requests.")
    if plan.size == 1 and not plan.sweeps:
        raise UsageError(
            "There is nothing to compare", remedy="Choose another config, values of a parameter, or a number of times."
        )


def check_types(config: LLMConfig, values: Mapping[str, Any]) -> None:
    """Raise UsageError for a text in place of a number or a switch: it is a typing error."""
    for name, kind in find_texts_for_numbers(config, values).items():
        article = {"integer": "a whole number", "boolean": "true or false"}.get(kind, "a number")
        raise UsageError(f"{name} takes {article}, not the text {one_line(values[name], 40)!r}")

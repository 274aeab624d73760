"""Finds the formatters of several new configs, each from its deployment's own description. No prompt is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from azml_magics.core.errors import AzmlError

from .detect import detect

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

_WORKERS = 8
_TIMEOUT = 10.0  # seconds without data


def find_formatters(configs: list[LLMConfig]) -> list[LLMConfig]:
    """Return the configs with formatters; one whose deployment does not describe itself stays as it is."""
    if all(config.formatter for config in configs):
        return configs
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="azml-magics-detect") as pool:
        return list(pool.map(_find_formatter, configs))


def _find_formatter(config: LLMConfig) -> LLMConfig:
    if config.formatter:
        return config
    try:
        found = detect(config.merged(timeout=_TIMEOUT, total_timeout=_TIMEOUT, max_retries=0))
    except AzmlError:  # the first call with the config says it, with its remedy
        return config
    if found.best is None:
        return config
    given: dict[str, Any] = {
        "formatter": found.best.formatter,
        "endpoint_url": found.url or config.endpoint_url,
        "endpoint_api_type": found.best.api_type,
        "model": found.best.model,
    }
    return config.merged(**{name: value for name, value in given.items() if value})

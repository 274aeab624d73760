"""What can be told of a config in a line: used by several verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core import wire
from azml_magics.core.errors import AzmlError
from azml_magics.core.http.auth import clear_text_error

from ..remedies import notebook_line

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig


def describe(config: LLMConfig) -> str:
    """Return a config in a line: its formatter, its URL, and whether its key is found."""
    url = config.endpoint_url or "no URL yet"
    key = config.key_source.summarize(config.endpoint_url)
    return f"{formatter_name(config) or 'no formatter yet'} at {url}, key {key}"


def next_step(config: LLMConfig) -> str:
    """What the config still needs before it works, as a sentence; "" if nothing."""
    if not config.endpoint_url:
        return f"Give it a URL: %azureml save {config.name} --url URL"
    try:
        wire.wire_for(config)
        problem: AzmlError | None = clear_text_error(config, config.endpoint_url)
    except AzmlError as error:
        problem = error
    return f"Before it works: {notebook_line(problem)}" if problem else ""


def formatter_name(config: LLMConfig) -> str:
    """The name of the config's formatter, chosen or implied by its URL; "" if neither."""
    if config.formatter and not isinstance(config.formatter, str):
        return str(getattr(config.formatter, "name", "") or type(config.formatter).__name__)
    return config.formatter or wire.default_for_url(config.endpoint_url)

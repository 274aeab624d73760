"""Which formatter a deployment needs, by what the service says of its model. Nothing is guessed from names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_magics.core import endpoints

from .deployment import DETECT

if TYPE_CHECKING:
    from collections.abc import Mapping

EMBEDS = "an embeddings model takes no prompt (its formatter: embeddings)"

# Capabilities of a model, the preferred one first, and the formatter for each.
_FORMATTERS = {
    "responses": "openai-responses",
    "chatcompletion": "openai-chat",
    "completion": "openai",
    "embeddings": "embeddings",
}


def wire_of_model(publisher: str, capabilities: Any) -> tuple[str, str]:
    """Return the formatter of a Foundry deployment, and why it takes no prompt or "".

    Args:
        publisher: The publisher or format of the model, such as "OpenAI" or "Anthropic".
        capabilities: What the service says it can do: flags by name, such as {"chatCompletion": "true"}.
    """
    flags = _flags(capabilities)
    if publisher.lower() == "anthropic":
        return "anthropic-messages", ""
    for flag, formatter in _FORMATTERS.items():
        if flag in flags:
            return formatter, EMBEDS if formatter == "embeddings" else ""
    if not flags:
        return DETECT, ""
    return "", f"it takes no prompts ({', '.join(sorted(flags)[:3])})"


def wire_of_route(url: str) -> str:
    """Return the formatter that a URL's route or host implies, or "detect" for one that serves any, such as /score."""
    return next(iter(endpoints.formatters_for(url)), DETECT)


def _flags(capabilities: Any) -> dict[str, str]:
    """Return the capabilities that are switched on, by their names without underscores in lower case."""
    given: Mapping[str, Any] = capabilities if isinstance(capabilities, dict) else {}
    return {
        name.replace("_", "").lower(): name
        for name, value in given.items()
        if isinstance(name, str) and str(value).lower() == "true"
    }

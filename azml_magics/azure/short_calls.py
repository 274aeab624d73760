"""Calls that ask for a few tokens only, on every wire format: what checks and probes send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core import wire
from azml_magics.core.config import UNSET
from azml_magics.core.errors import BadRequestError

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig
    from azml_magics.core.response import Response

# The kwargs that limit a response, and the fewest tokens that each one accepts. Reasoning models, which take
# max_completion_tokens, refuse a limit that ends within their thoughts.
_LIMITS = {"max_tokens": 1, "max_new_tokens": 1, "max_output_tokens": 16, "max_completion_tokens": 256}
_RENAMED = "max_completion_tokens"


def limit_of(config: LLMConfig) -> str:
    """Return the name of the kwarg that limits the response; "" if the formatter is not known to have one."""
    own = next((name for name in _LIMITS if name in config.model_kwargs), "")
    known = [kwarg.name for kwarg in wire.formatter_for(config).known_kwargs]
    return own or next((name for name in known if name in _LIMITS), "")


def with_limit(config: LLMConfig, name: str, tokens: int) -> LLMConfig:
    """Return the config with the limit `name`, and without any other one, for a single try.

    Args:
        config: The config of the calls.
        name: The kwarg; "" for none.
        tokens: The limit; at least what the kwarg accepts is sent.
    """
    limits = dict.fromkeys(_LIMITS, UNSET) | ({name: max(tokens, _LIMITS[name])} if name else {})
    return config.merged(model_kwargs=limits, max_retries=0)


def invoke_short(config: LLMConfig, prompt: str, tokens: int, *, stream: bool = False) -> Response:
    """Send a prompt and ask for a few tokens.

    A model that takes no max_tokens is asked again with max_completion_tokens, and one that takes no limit without.

    Args:
        config: The config of the call; its own limit is replaced.
        prompt: The prompt.
        tokens: The limit.
        stream: Whether to ask for a stream.

    Raises:
        AzmlError: As `invoke` and `stream` do.
    """
    name = limit_of(config)
    try:
        return _send(with_limit(config, name, tokens), prompt, stream=stream)
    except BadRequestError as error:
        if not name or error.facts.get("param") != name:
            raise
        other = _RENAMED if error.error_code == "max-tokens-renamed" else ""
        return _send(with_limit(config, other, tokens), prompt, stream=stream)


def _send(config: LLMConfig, prompt: str, *, stream: bool) -> Response:
    from azml_magics.core import client

    if not stream:
        return client.invoke(config, prompt)
    with client.stream(config, prompt) as chunks:
        for _ in chunks:
            pass
    return chunks.response

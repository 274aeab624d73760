"""Check a config step by step: complete, key found, endpoint reached, key accepted, response received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    EndpointError,
    PermissionDeniedError,
)
from azml_magics.core.text import one_line
from azml_magics.core.wire import formatter_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.wire import Formatter

GOOD, BAD, OPEN = "ok", "FAILED", "-"
STEPS = ("config", "key", "reach", "authenticate", "answer")


def check(config: LLMConfig, describe: Callable[[AzmlError], str] = str) -> dict[str, tuple[str, str]]:
    """Check a config with one request for a single token.

    Args:
        config: The config to check.
        describe: Turns an error into the text of its step.

    Returns:
        Step (see `STEPS`) -> (state, text). The state is GOOD, BAD, or OPEN for the steps after a failure.
    """
    from azml_magics.core import client

    found = dict.fromkeys(STEPS, (OPEN, ""))
    try:
        prepared = client.prepare(config, "Hello", with_key=False)
    except AzmlError as error:
        return found | {"config": (BAD, describe(error))}
    formatter = formatter_for(config)
    found["config"] = (GOOD, f"POST {prepared.request.url} ({formatter.name})")
    try:
        client.prepare(config, "Hello")
    except AzmlError as error:  # no key, or one that HTTP headers do not allow
        return found | {"key": (BAD, describe(error))}
    found["key"] = (GOOD, str(config.key_source))
    return found | _check_response(config, formatter, describe)


def _check_response(
    config: LLMConfig, formatter: Formatter, describe: Callable[[AzmlError], str]
) -> dict[str, tuple[str, str]]:
    """Return the last three steps, from one request."""
    from azml_magics.core import client

    limit = next((k.name for k in formatter.known_kwargs if k.name in {"max_tokens", "max_new_tokens"}), None)
    short = config.merged(model_kwargs={limit: 1} if limit else {}, max_retries=0)
    try:
        response = client.invoke(short, "Hello")
    except APIConnectionError as error:
        return {"reach": (BAD, describe(error))}
    except (AuthenticationError, PermissionDeniedError) as error:
        return {"reach": (GOOD, _status(error)), "authenticate": (BAD, describe(error))}
    except EndpointError as error:
        if not error.status:  # connected, but no data: whether the key is good is not known
            return {"reach": (GOOD, "connected"), "answer": (BAD, describe(error))}
        return {"reach": (GOOD, _status(error)), "authenticate": (GOOD, ""), "answer": (BAD, describe(error))}
    except AzmlError as error:
        return {"reach": (GOOD, ""), "authenticate": (GOOD, ""), "answer": (BAD, describe(error))}
    place = f"deployment {response.deployment}" if response.deployment else ""
    return {"reach": (GOOD, place), "authenticate": (GOOD, ""), "answer": (GOOD, repr(one_line(response.text, 60)))}


def _status(error: EndpointError) -> str:
    return f"it responded with {error.status}"

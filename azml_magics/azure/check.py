"""Check a config step by step: complete, key found, endpoint reached, key accepted, responses whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core import endpoints
from azml_magics.core.errors import (
    APIConnectionError,
    AuthenticationError,
    AzmlError,
    EndpointError,
    PermissionDeniedError,
)
from azml_magics.core.text import one_line
from azml_magics.core.wire import formatter_for, wire_for

from .short_calls import ShortCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azml_magics.core.config import LLMConfig
    from azml_magics.core.response import Response

GOOD, BAD, OPEN = "ok", "FAILED", "-"
STEPS = ("config", "key", "reach", "authenticate", "answer", "stream")


def check(config: LLMConfig, describe: Callable[[AzmlError], str] = str) -> dict[str, tuple[str, str]]:
    """Check a config with two requests for a few tokens: one whole, one streamed.

    Args:
        config: The config to check.
        describe: Turns an error into the text of its step.

    Returns:
        Step (see `STEPS`) -> (state, text). The state is GOOD, BAD, or OPEN for the steps after a failure and for a
        stream that the formatter does not have.
    """
    from azml_magics.core import client

    found = dict.fromkeys(STEPS, (OPEN, ""))
    try:
        prepared = client.prepare(config, "Hello", with_key=False)
    except AzmlError as error:
        return found | {"config": (BAD, describe(error))}
    notices = "".join(f". {notice}" for notice in endpoints.notices_of(config.endpoint_url))
    found["config"] = (GOOD, f"POST {prepared.request.url} ({formatter_for(config).name}){notices}")
    try:
        client.prepare(config, "Hello")
    except AzmlError as error:  # no key, or one that HTTP headers do not allow
        return found | {"key": (BAD, describe(error))}
    in_headers = [f"{source} in {name}" for name, source in config.header_sources.items()]
    found["key"] = (GOOD, ", ".join([str(config.key_source), *in_headers]))
    found |= _check_response(config, describe)
    return found | ({"stream": _check_stream(config, describe)} if found["answer"][0] == GOOD else {})


def works(found: Mapping[str, tuple[str, str]]) -> bool:
    """Return whether every step succeeded that the config has."""
    return found["answer"][0] == GOOD and all(state != BAD for state, _ in found.values())


def _check_response(config: LLMConfig, describe: Callable[[AzmlError], str]) -> dict[str, tuple[str, str]]:
    """Return the steps up to the whole response, from one request."""
    try:
        response = ShortCall(config).invoke("Hello", 1)
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
    return {"reach": (GOOD, place), "authenticate": (GOOD, ""), "answer": (GOOD, _describe_text(response))}


def _check_stream(config: LLMConfig, describe: Callable[[AzmlError], str]) -> tuple[str, str]:
    """Return the step of the streamed response, from one more request."""
    if not wire_for(config).streams(config):
        return OPEN, "this formatter does not stream"
    try:
        return GOOD, _describe_text(ShortCall(config).invoke("Hello", 1, stream=True))
    except AzmlError as error:
        return BAD, describe(error)


def _describe_text(response: Response) -> str:
    if response.text:
        return repr(one_line(response.text, 60))
    if response.parsed is not None:  # of an embeddings model
        return "a vector"
    return "its few tokens went into reasoning"


def _status(error: EndpointError) -> str:
    return f"it responded with {error.status}"

"""What makes two requests the same: the settings of a run, and their canonical JSON, which the journal's keys hash."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..core.endpoints import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.config import LLMConfig
    from ..core.messages import Message
    from ..core.prompt.schema import Schema

_KEY_BYTES = 16


def settings_of(config: LLMConfig, prompt: Any, variables: Mapping[str, Any], schema: Schema | None) -> dict[str, Any]:
    """Return everything that a response depends on apart from the rows, as data without the key."""
    url = urlsplit(config.endpoint_url)
    formatter: Any = config.formatter
    fields = {
        "endpoint": f"{Origin.of(config.endpoint_url)}{url.path}",
        "query": hashlib.blake2b(url.query.encode(), digest_size=8).hexdigest() if url.query else "",
        "endpoint_api_type": config.endpoint_api_type,
        "deployment": config.deployment_name,
        "formatter": formatter if isinstance(formatter, str) else full_name(formatter),
        "model": config.model,
        "api_version": config.api_version,
        "extra_parameters": config.extra_parameters,
        "system": config.system,
        **{f"header {name}": value for name, value in config.headers.items() if isinstance(value, str)},
        **{f"model kwarg {name}": value for name, value in config.model_kwargs.items()},
    }
    own = {name: value for name, value in fields.items() if value not in (None, "")}
    return {**own, **prompt_settings(prompt, variables, schema)}


def prompt_settings(prompt: Any, variables: Mapping[str, Any], schema: Schema | None) -> dict[str, Any]:
    """Return what a response depends on apart from the config and the rows."""
    fields = {
        "prompt": full_name(prompt) if callable(prompt) else prompt,
        **{f"variable {name}": str(value) for name, value in variables.items()},
        "schema": schema.json_schema if schema else None,
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def settings_digest(settings: Mapping[str, Any]) -> bytes:
    """Return the 16 bytes that identify the settings of a run."""
    return hashlib.blake2b(canonical_json(settings), digest_size=_KEY_BYTES).digest()


def request_key(digest: bytes, messages: Sequence[Message]) -> bytes:
    """Return the 16 bytes that identify a request: a hash of its settings' digest and its messages."""
    return hashlib.blake2b(canonical_json(messages), digest_size=_KEY_BYTES, key=digest).digest()


def canonical_json(value: Any) -> bytes:
    """Return `value` as JSON that is the same for equal values; other objects as their str()."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


def full_name(thing: Any) -> str:
    """Return the name of a function or of an object's class, with its module."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"

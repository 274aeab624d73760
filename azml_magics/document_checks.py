"""Checks of a saved document: its keys, and the types of their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .core import headers
from .core.config import LLMConfig
from .core.errors import ConfigError, DocumentError, KeyRefusedError
from .core.install_hint import upgrade_advice
from .core.key_sources import NO_KEY
from .core.keys import KeyRef

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
TYPES = ("azureml_endpoint", "azureml_chat_endpoint")
TEXT_KEYS = (
    *("deployment_name", "endpoint_url", "endpoint_api_type", "formatter", "system", "api_version", "model"),
    *("key_header", "proxy"),
)
VALUE_KEYS = ("timeout", "max_retries", "total_timeout", "verify", "allow_http", "price")
KEYS = (*TEXT_KEYS, *VALUE_KEYS, "extra_parameters", "model_kwargs", "headers", "key", "azml_schema", "_type")
EXPECTED = "A saved config is what LangChain's AzureMLOnlineEndpoint.save() or azml_magics.save_config() writes."
NEVER_SAVED = {
    "endpoint_api_key": "a key is never saved: remove it, and write a reference to it under key, such as env:NAME",
    "content_formatter": "LangChain cannot load it: write the formatter's name under formatter",
}


def check_value(key: str, value: Any, source: str) -> None:
    """Raise DocumentError if a config cannot have `value` as `key`; one key at a time, so that the message names it."""
    try:
        LLMConfig(**{key: value})
    except ConfigError as error:
        prefix = "" if key in error.cause or key == "model_kwargs" else f"{key}: "
        raise DocumentError(f"{source}: {prefix}{error.cause}", remedy=error.remedy or f"Fix {key}.") from None


def parse_key(written: str | None, source: str) -> KeyRef | None:
    """The key reference that is written in a document; null and "none" stand for no key."""
    try:
        return None if written is None or written.strip() == NO_KEY else KeyRef.parse(written)
    except ConfigError as error:
        raise DocumentError(
            f"{source}: the value of 'key' is not a key reference",
            remedy=f"{error.remedy} A key itself is never saved.",
        ) from None


def parse_headers(written: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The headers that are written in a document, references read."""
    name = ""
    try:
        for name, value in written.items():
            headers.parse_header(name, value)
        return headers.as_headers(written)
    except KeyRefusedError:
        raise DocumentError(
            f"{source}: the header {name} holds what looks like a key",
            remedy="A key itself is never saved: write a reference to it, such as env:NAME.",
        ) from None
    except ConfigError as error:
        raise DocumentError(f"{source}: {error.cause}", remedy=error.remedy or "Make it a text.") from None


def check_keys(document: Mapping[Any, Any], source: str) -> None:
    """Raise DocumentError for a key that a document must not have, or whose value could not be saved again."""
    for key, remedy in NEVER_SAVED.items():
        if document.get(key):  # an empty key is no secret
            raise DocumentError(f"{source} has the key {key!r}", remedy=f"{remedy[0].upper()}{remedy[1:]}.")
    for key, value in document.items():
        if not isinstance(key, str):
            raise DocumentError(f"{source} has the key {key!r}, which is not a text", remedy="Put it in quotes.")
        if key in KEYS:
            continue
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise DocumentError(
                f"{source}: the value of {key!r} cannot be written as JSON", remedy="Remove it, or put it in quotes."
            ) from None


def check_types(document: Mapping[str, Any], source: str) -> None:
    """Raise DocumentError for a value of the wrong type, or for a document of a later azml-magics."""
    expected: dict[str, tuple[type, ...]] = dict.fromkeys((*TEXT_KEYS, "extra_parameters", "key"), (str,))
    expected |= {"model_kwargs": (dict,), "headers": (dict,), "max_retries": (int,), "azml_schema": (int,)}
    expected |= dict.fromkeys(("timeout", "total_timeout"), (float, int, str))
    expected |= {"verify": (bool, str), "allow_http": (bool,), "price": (dict, list, str)}
    for key, types in expected.items():
        value = document.get(key)
        if value is not None and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            wanted = {str: "a text", dict: "an object", int: "a whole number", float: "a number", bool: "true or false"}
            wanted[bool] = "false or the path of a CA file" if key == "verify" else "true or false"
            raise DocumentError(f"{source}: {key} is {describe_type(value)}", remedy=f"Make it {wanted[types[0]]}.")
    if (document.get("azml_schema") or 0) > SCHEMA:
        raise DocumentError(
            f"{source} was written by a later azml-magics (schema {document['azml_schema']})",
            remedy=upgrade_advice(),
        )


def describe_type(value: Any) -> str:
    """The JSON type of a value, in words."""
    kinds = {
        str: "a text",
        dict: "an object",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a fraction",
        type(None): "empty",
    }
    return kinds.get(type(value), f"of type {type(value).__name__}")

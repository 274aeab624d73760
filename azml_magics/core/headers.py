"""Extra headers of a config: their names and values, checked. A value may be a key reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import ConfigError, KeyRefusedError
from .hidden_arguments import hide_arguments
from .key_sources import NO_KEY
from .keys import KeyRef, is_reference, key_source
from .secret import Secret

HeaderValue = str | KeyRef | Secret

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, a token
_FRAMING = {"content-length", "transfer-encoding", "connection", "host"}  # of the connection: the client's own
_SECRET_NAME = re.compile(
    r"(.*[-_])?(authorization|token|secret|password|cookie|(api|subscription|access|functions|account|auth|secret)[-_]?key)"
)
_PUBLIC_NAME = re.compile(r"traceparent|tracestate|.*[-_]id")
_KEY_VALUE = re.compile(r"(?i:bearer|basic) .+|sk-.{8,}|(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}")


def as_headers(given: Any) -> dict[str, HeaderValue]:
    """Return headers with checked names and values.

    Args:
        given: A mapping of names to texts, key references or secrets. A text such as "env:NAME" is a reference; one
            that looks like a key becomes a Secret, which stays in this process. "none" and None leave the header out.

    Raises:
        ConfigError: It is not a mapping, or a name or value cannot be sent.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"headers must be a dict, not {type(given).__name__}")
    headers: dict[str, HeaderValue] = {}
    for name, value in (given or {}).items():
        check_name(name)
        if value is not None and value != NO_KEY:
            headers[name] = _as_value(name, value)
    return headers


def merge_headers(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge headers, later ones over earlier ones of the same name in any case."""
    merged: dict[str, tuple[str, Any]] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name.lower() if isinstance(name, str) else name] = (name, value)
    return dict(merged.values())


@hide_arguments
def parse_header(name: str, text: str) -> str | KeyRef:
    """Return the value of a header that was written in a notebook or a file, where no key may stand.

    Raises:
        KeyRefusedError: The value looks like a key. The error does not repeat it.
        ConfigError: The name or value cannot be sent.
    """
    check_name(name)
    if text == NO_KEY:
        return text
    value = _as_value(name, text)
    if isinstance(value, Secret):
        raise KeyRefusedError(
            f"The value of the header {name} looks like a key, which would stay in the notebook and its history",
            remedy=f"Write where to find it: {name}=env:NAME or {name}=keyring:SERVICE/NAME.",
        )
    return value


def is_secret(value: HeaderValue) -> bool:
    """Return whether the value is a key or leads to one."""
    return isinstance(value, KeyRef | Secret)


def describe(value: HeaderValue, endpoint_url: str = "") -> str:
    """Return a header's value as it may be shown: a reference with its state, such as "env:NAME (not set)"."""
    return key_source(value).describe(endpoint_url) if isinstance(value, KeyRef | Secret) else value


def check_name(name: Any, field: str = "headers") -> None:
    """Raise ConfigError if `name` is not the name of a header that a config may set; `field` is what has it."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"{field} has the name {str(name)[:40]!r}, which is not the name of an HTTP header",
            remedy="Use letters, digits and hyphens.",
        )
    if name.lower() in _FRAMING:
        raise ConfigError(f"{field} cannot set {name}: it belongs to the connection", remedy="Remove it.")


def _as_value(name: str, value: Any) -> HeaderValue:
    if isinstance(value, KeyRef):
        return value
    text = value.reveal_as_given() if isinstance(value, Secret) else value
    if not isinstance(text, str):
        raise ConfigError(f"The value of the header {name} must be a string, not {type(value).__name__}")
    if not (text.isascii() and text.isprintable()):
        raise ConfigError(
            f"The value of the header {name} contains characters that HTTP headers do not allow",
            remedy="Use printable ASCII characters, without line breaks.",
        )
    if isinstance(value, Secret):
        return value
    if is_reference(text):
        return KeyRef.parse(text)
    return Secret(text) if looks_like_key(name.lower(), text.strip()) else text


def looks_like_key(name: str, text: str) -> bool:
    if not text or _PUBLIC_NAME.fullmatch(name):
        return False
    return _SECRET_NAME.fullmatch(name) is not None or _KEY_VALUE.fullmatch(text) is not None

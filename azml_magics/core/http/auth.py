"""The headers of a request, among them those that carry keys."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .. import endpoints, trust
from ..errors import ConfigError, KeyNotFoundError
from ..headers import merge_headers
from ..redaction import MASK
from ..secret import Secret
from .session_warnings import warn_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..config import LLMConfig
    from ..key_sources import KeySource


@dataclass(frozen=True)
class Credentials:
    """The keys of a request, looked up.

    Attributes:
        key: The config's key; None without one.
        headers: The keys in further headers, by the header's name.
        embedded: The keys in the URL's query and in the body, by the reference that stands for them.
    """

    key: Secret | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    embedded: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All of them, which no message may show: "Basic abc" is one, and so is "abc"."""
        others = (*self.headers.values(), *self.embedded.values())
        parts = [Secret(secret.reveal_as_given().rpartition(" ")[2]) for secret in others]
        return tuple(dict.fromkeys(secret for secret in (self.key, *others, *parts) if secret))


NO_CREDENTIALS = Credentials()


def resolve(config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
    """Look up the keys that a request to `url` carries.

    Args:
        config: The config whose key references to follow.
        url: Where the request goes.
        refused: Keys that the endpoint refused: new ones replace those that can be had anew.

    Raises:
        ConfigError: The keys would go over plain http to another machine, and the config does not allow it.
        KeyRefusedError: The config comes from a file that the user has not trusted with these keys.
        KeyNotFoundError: A reference leads to no key.
    """
    found = {}
    for look_up in _look_ups(config, url, refused):
        with look_up.naming_header():
            found[look_up.place] = look_up.source.resolve(config.endpoint_url, refused=look_up.refused)
    return _credentials_from(found)


async def aresolve(config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
    """Do what `resolve` does, without holding up the running event loop."""
    found = {}
    for look_up in _look_ups(config, url, refused):
        with look_up.naming_header():
            found[look_up.place] = await look_up.source.aresolve(config.endpoint_url, refused=look_up.refused)
    return _credentials_from(found)


class _LookUp(NamedTuple):
    """A key to look up.

    Attributes:
        place: Where the key goes: "key", "header" or "embedded", and the header's name or the reference.
        source: Where it comes from.
        refused: The one that was refused, if the source may give another.
    """

    place: tuple[str, str]
    source: KeySource
    refused: Secret | None

    @contextmanager
    def naming_header(self) -> Iterator[None]:
        """Name the header in the error about a key that is not found."""
        kind, name = self.place
        try:
            yield
        except KeyNotFoundError as error:
            if kind != "header":
                raise
            raise KeyNotFoundError(
                f"The header {name} has no key: {error.cause.removeprefix('No key: ')}",
                remedy="Provide it, name another key reference for this header, or leave the header out.",
                error_code="header-key-not-found",
                facts={"param": name},
            ) from error


def _look_ups(config: LLMConfig, url: str, refused: Credentials | None) -> list[_LookUp]:
    trust.check(config)
    check_clear_text(config, url)
    last = refused or NO_CREDENTIALS
    wanted = [
        *((("header", name), source, last.headers.get(name)) for name, source in config.header_sources.items()),
        *((("embedded", name), source, last.embedded.get(name)) for name, source in config.embedded_sources.items()),
        (("key", ""), config.key_source, last.key),
    ]
    return [_LookUp(place, source, key if source.can_refresh else None) for place, source, key in wanted]


def _credentials_from(found: Mapping[tuple[str, str], Secret | None]) -> Credentials:
    def keys_in(wanted: str) -> dict[str, Secret]:
        return {name: secret for (kind, name), secret in found.items() if kind == wanted and secret is not None}

    return Credentials(found["key", ""], keys_in("header"), keys_in("embedded"))


def is_slow(config: LLMConfig) -> bool:
    """Whether the look-up of a key of the config may wait for a program or a service."""
    return any(source.is_slow for source in config.all_key_sources)


def can_refresh(config: LLMConfig) -> bool:
    """Whether a key of the config can be had anew after it was refused."""
    return any(source.can_refresh for source in config.all_key_sources)


def request_headers(
    config: LLMConfig, url: str, wire_headers: Mapping[str, str], credentials: Credentials = NO_CREDENTIALS
) -> dict[str, str]:
    """Build the headers of a request to `url`.

    Later ones win over earlier ones of the same name: ours, the wire format's, the key's, the config's.

    Args:
        config: The config, which may pin a deployment and add headers.
        url: Where the request goes.
        wire_headers: Headers of the wire format.
        credentials: The keys; by default none, and the headers that would carry them are left out.

    Raises:
        ConfigError: A header or a key has characters outside printable ASCII.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **wire_headers}
    if config.deployment_name and not endpoints.needs_model(url):
        headers["azureml-model-deployment"] = config.deployment_name
    for name, value in headers.items():
        if not _is_header_value(value):
            raise ConfigError(f"{name} contains characters that HTTP headers do not allow", remedy="Fix the formatter.")
    _check_secrets(credentials)
    plain = {name: value for name, value in config.headers.items() if isinstance(value, str)}
    return merge_headers(  # the keys go in last, and never into a variable: a traceback with locals would show them
        headers,
        key_headers(config, url, credentials.key.reveal()) if credentials.key else {},
        plain,
        {name: secret.reveal_as_given() for name, secret in credentials.headers.items()},
    )


def key_headers(config: LLMConfig, url: str, key: str) -> Mapping[str, str]:
    """Return the headers that carry `key`, the config's, to `url`.

    The config's `key_header` takes it as it is; otherwise the table of endpoints says which headers, and how.
    """
    if config.key_header:
        return {config.key_header: key}
    return endpoints.auth_headers(url, key, is_token=config.key_source.is_token)


def describe_key_headers(config: LLMConfig, url: str) -> dict[str, str]:
    """Return the headers that carry keys to `url`, with the mask and the reference in place of each key."""
    masked = key_headers(config, url, MASK) if config.key is not None else {}
    shown = {name: f"{value}  ({config.key_source})" for name, value in masked.items()}
    return merge_headers(shown, {name: f"{MASK}  ({source})" for name, source in config.header_sources.items()})


def _check_secrets(credentials: Credentials) -> None:
    if credentials.key and not _is_header_value(credentials.key.reveal()):
        raise ConfigError("The key contains characters that HTTP headers do not allow", remedy="Copy it again.")
    for name, secret in credentials.headers.items():
        if not _is_header_value(secret.reveal_as_given()):
            raise ConfigError(
                f"The key in the header {name} contains characters that HTTP headers do not allow",
                remedy="Copy it again.",
            )


def check_clear_text(config: LLMConfig, url: str) -> None:
    """Refuse to send a key over plain http to another machine without the config's permission; warn of it with that.

    Raises:
        ConfigError: See `clear_text_error`.
    """
    if error := clear_text_error(config, url):
        raise error
    if _sends_clear_text(config, url):
        origin = endpoints.Origin.of(url)
        warn_once(f"The key goes to {origin} in clear text: others on the network can read it, and the prompts.")


def clear_text_error(config: LLMConfig, url: str) -> ConfigError | None:
    """Return the error for a config that would send a key, in whatever header, over plain http without permission."""
    if config.allow_http or not _sends_clear_text(config, url):
        return None
    return ConfigError(
        f"{endpoints.Origin.of(url)} would carry the key in clear text to another machine",
        remedy="Use https://, send no key (key=None), or set allow_http=True if you trust the network.",
        error_code="key-over-http",
    )


def _sends_clear_text(config: LLMConfig, url: str) -> bool:
    origin = endpoints.Origin.of(url)
    return origin.scheme == "http" and not origin.is_loopback and bool(config.all_key_sources)


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()

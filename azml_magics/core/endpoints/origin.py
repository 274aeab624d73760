"""Which server a URL names, and whether a request may go there. Nothing is sent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigError

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")

# Each call needs these several times, and a run over rows needs them for every row.
_remembered = lru_cache(maxsize=256)

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """What tells one server from another: scheme, host and port, normalised.

    Rate limiters, connections, typed keys and the check that a key stays with its host all compare origins, so
    `https://h`, `https://H/score` and `https://h:443` are the same endpoint for each of them.

    Attributes:
        scheme: "https" or "http"; "" if the URL has none.
        host: the host name or address in lower case, an international name in its ASCII form; "" if absent.
        port: the port, the scheme's default filled in; 0 if neither is known.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of `url`; a URL that cannot be read has an empty host."""
        return _origin_of(url)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name."""
        return is_loopback(self.host)

    @property
    def netloc(self) -> str:
        """The host, with the port unless it is the scheme's default: what messages show."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme, 0) else f"{host}:{self.port}"

    def __bool__(self) -> bool:
        return bool(self.host)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}" if self.host else ""


@_remembered
def _origin_of(url: str) -> Origin:
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return Origin("", "", 0)
    return Origin(parts.scheme, host.lower(), port or _DEFAULT_PORTS.get(parts.scheme, 0))


@_remembered
def split(url: str) -> SplitResult:
    """Return the parts of `url`.

    Raises:
        ConfigError: The text is not a URL, or contains a password.
    """
    example = "Write it whole, such as https://NAME.REGION.inference.ml.azure.com/score."
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"The endpoint URL {_shown(url)!r} cannot be read: {error}", remedy=example) from None
    if "@" in parts.netloc:
        raise ConfigError(
            "The endpoint URL holds a user name or password",
            remedy="Put the key into the config's key instead.",
            error_code="url-with-password",
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"The endpoint URL {_shown(url)!r} is not complete", remedy=example)
    if not _is_host(host):
        raise ConfigError(f"The endpoint URL {_shown(url)!r} has no valid host name", remedy=example)
    return parts


def _shown(url: str) -> str:
    """Return a URL that cannot be used as a message may show it: without a password and without a query."""
    return re.sub(r"\?.*", "?…", re.sub(r"//[^/]*@", "//…@", url), flags=re.DOTALL)


def _is_host(host: str) -> bool:
    """Return whether `host` is a valid host name or an address."""
    try:
        if ":" in host:
            return bool(ipaddress.ip_address(host))
        name = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return False
    return _HOST_NAME.fullmatch(name.lower()) is not None


@_remembered
def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine by its name; no name server is used."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

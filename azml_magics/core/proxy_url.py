"""The URL of a proxy: how it is written, checked, and named in messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .errors import ConfigError

DIRECT = "none"  # the word for no proxy, whatever the environment says

_VARIABLE = re.compile(r"env:[A-Za-z_]\w*")
_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_url(proxy: str) -> str:
    """Return the URL of a proxy that is written as a URL or as HOST:PORT.

    Raises:
        ConfigError: It is neither.
    """
    proxy = proxy.strip()
    url = proxy if "://" in proxy else f"http://{proxy}"
    if Proxy.of(url) is None or proxy.startswith("env:"):  # a variable without a valid name
        raise ConfigError(
            "The proxy's URL cannot be read",  # it may hold a password, so it is not shown
            remedy="Write it as http://HOST:PORT (https, socks5 and socks5h work too).",
            error_code="proxy-url",
        )
    return url


@dataclass(frozen=True)
class Proxy:
    """A proxy as messages show it, and the password that they do not.

    Attributes:
        name: HOST:PORT.
        password: As it stands in the URL, unquoted; "" without one.
    """

    name: str
    password: str

    @classmethod
    def of(cls, url: str) -> Proxy | None:
        """Return the proxy of `url`; None if it is not a proxy's URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            return None
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        default = {"http": 80, "https": 443}.get(parts.scheme, 1080)
        return cls(f"{host}:{port or default}", unquote(parts.password or ""))


def proxy_name(url: str) -> str:
    """Return HOST:PORT of a proxy's URL, which may hold a password; "" if it is not a proxy's URL."""
    proxy = Proxy.of(url)
    return proxy.name if proxy else ""


def check_proxy(configured: str) -> str:
    """Return a config's proxy, checked; nothing is looked up.

    Raises:
        ConfigError: It is not a proxy's URL, or holds a password, which would be saved with the config.
    """
    configured = configured.strip()
    if configured in {"", DIRECT} or _VARIABLE.fullmatch(configured):
        return configured
    proxy = Proxy.of(proxy_url(configured))
    if (proxy is not None and proxy.password) or "@" in configured:
        raise ConfigError(
            "The proxy's URL holds a user name or password, which would be saved with the config",
            remedy="Put the URL into an environment variable and name it as env:NAME, or use HTTPS_PROXY.",
            error_code="proxy-with-password",
        )
    return configured

"""Which proxy a request goes through: the config's, the environment's, or the system settings'."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import sys

from ..endpoints import Origin
from ..errors import ConfigError
from ..install_hint import package_command
from ..proxy_url import DIRECT, proxy_url

_SYSTEM_SETTINGS = ("darwin", "win32")  # platforms whose own settings may name a proxy


def proxy_for(url: str, configured: str | None = None) -> str | None:
    """Return the URL of the proxy that a request to `url` goes through, or None if it goes straight.

    A configured proxy applies to every host. The environment's (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, in either case) do
    not apply to the hosts of NO_PROXY, nor to plain http on this machine.

    Args:
        url: Where the request goes.
        configured: The config's proxy: a URL, HOST:PORT, "env:NAME" for a variable that holds either, or "none".

    Raises:
        ConfigError: The proxy's URL cannot be read, or its variable is not set.
    """
    origin = Origin.of(url)
    if configured:
        found = None if configured == DIRECT else _resolve(configured)
    elif origin.scheme == "http" and origin.is_loopback:
        found = None
    else:
        found = _from_environment(origin)
    return _usable(proxy_url(found)) if found else None


def _usable(url: str) -> str:
    url = url.replace("socks5h:", "socks5:", 1)  # the proxy looks up names with both; httpx 0.27 knows one
    if url.startswith("socks5") and importlib.util.find_spec("socksio") is None:
        raise ConfigError(
            "A SOCKS proxy needs the package socksio",
            remedy=f"Run {package_command('httpx[socks]')}.",
            error_code="socks-missing",
        )
    return url


def _resolve(configured: str) -> str:
    if not configured.startswith("env:"):
        return configured
    name = configured.removeprefix("env:")
    value = os.environ.get(name, "").strip()
    if not value:
        raise ConfigError(
            f"No proxy: the environment variable {name} is not set",
            remedy="Set it to the proxy's URL, or name the proxy itself as http://HOST:PORT.",
            error_code="proxy-variable-not-set",
            facts={"param": name},
        )
    return value


def _from_environment(origin: Origin) -> str | None:
    names = (f"{origin.scheme}_proxy", "all_proxy")
    is_named = any(os.environ.get(name) or os.environ.get(name.upper()) for name in names)
    if not (is_named or sys.platform in _SYSTEM_SETTINGS):
        return None
    import urllib.request

    proxies = urllib.request.getproxies()
    proxy = proxies.get(origin.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(f"{origin.host}:{origin.port}") or _is_in_bypassed_network(origin.host):
        return None
    return proxy


def _is_in_bypassed_network(host: str) -> bool:
    """Whether NO_PROXY has the address `host`, or a network such as 10.0.0.0/8 with it; urllib compares texts."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    entries = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    return any(_contains(entry.strip(), address) for entry in entries)


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False

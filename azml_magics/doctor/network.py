"""Proxies and certificates: what the environment names, and whether it can be used. Nothing is sent."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from azml_magics.core.browser import IS_BROWSER
from azml_magics.core.errors import AzmlError

from .report import Fact, shorten_home
from .versions import installed_version

if TYPE_CHECKING:
    from collections.abc import Callable

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SOME_ENDPOINT = "https://name.region.inference.ml.azure.com/score"


def examine_network() -> list[Fact]:
    """Return the proxies and certificates in the environment; a problem for those that cannot be used."""
    return [*_proxies(), *_certificates()]


def _proxies() -> list[Fact]:
    if IS_BROWSER:
        return [Fact("proxy", "the browser's")]
    names = [name for upper in _PROXIES for name in (upper, upper.lower()) if os.environ.get(name)]
    facts = [Fact(name, mask_user(os.environ[name])) for name in names]
    return [*facts, _checked("proxy", "none for Azure", _proxy_in_use)]


def _proxy_in_use() -> str:
    from azml_magics.core.http.proxy import proxy_for

    used = proxy_for(_SOME_ENDPOINT)
    return f"{mask_user(used)} for Azure" if used else ""


def mask_user(url: str) -> str:
    """Return the URL of a proxy without user name, password and query."""
    scheme, found, rest = url.rpartition("://")
    address = rest.rpartition("@")
    masked = f"***@{address[2]}" if address[1] else rest
    return f"{scheme}{found}{re.split('[?#]', masked)[0]}"


def _certificates() -> list[Fact]:
    if IS_BROWSER:
        return [Fact("certificates", "the browser checks them")]
    facts = [Fact(name, shorten_home(os.environ[name])) for name in _CERTIFICATES if os.environ.get(name)]
    return [*facts, _checked("certificates", "", _trusted_certificates)]


def _trusted_certificates() -> str:
    from azml_magics.core.http.tls import ssl_context

    ssl_context()
    named = [name for name in _CERTIFICATES[:3] if os.environ.get(name)]
    if named:
        return f"those of {named[0]}"
    if sys.platform in {"win32", "darwin"}:
        return f"the operating system's, through truststore {installed_version('truststore')}"
    return "the operating system's"


def _checked(name: str, otherwise: str, check: Callable[[], str]) -> Fact:
    """What a check returns; its error is a problem."""
    try:
        return Fact(name, check() or otherwise)
    except (AzmlError, OSError, ImportError) as error:
        cause = error.cause if isinstance(error, AzmlError) else str(error)
        remedy = error.remedy if isinstance(error, AzmlError) else "Check the variables above."
        return Fact(name, "cannot be used", f"{cause}.", remedy)

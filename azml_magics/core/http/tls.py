"""What https connections trust: the operating system's certificates, the environment's, or those of a config.

In this order: a config's `verify`; SSL_CERT_FILE and SSL_CERT_DIR, which OpenSSL defines; REQUESTS_CA_BUNDLE, which
many company images set; the certificates that the operating system trusts. Each replaces those after it.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache
from pathlib import Path

from ..errors import ConfigError
from .session_warnings import warn_once

Verify = bool | str | ssl.SSLContext | None

_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
# Where Linux distributions keep the system's certificates if this Python's OpenSSL was built for another place. Source:
# truststore's and certifi-system-store's lists.
_SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Azure ML's images
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL, Azure Linux
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, Arch, macOS
)


def ssl_context(verify: Verify = None) -> ssl.SSLContext:
    """Return what a connection's certificate is checked against. Contexts are kept; a changed file is read again.

    Args:
        verify: A file or folder of CA certificates; False to check nothing, with a warning once in a session; a context
            of the caller's own; None or True for the environment's or the operating system's certificates.

    Raises:
        ConfigError: A file or folder of certificates does not exist or cannot be read.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is False:
        return _unchecked_context()
    if isinstance(verify, str) and verify:
        return _from_paths((("verify", verify),))
    named = [(name, value) for name in _VARIABLES if (value := os.environ.get(name))]
    paths = [pair for pair in named if pair[0] != "REQUESTS_CA_BUNDLE"] or named
    return _from_paths(tuple(paths)) if paths else _system()


def _from_paths(paths: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    """The context that trusts the certificates in files and folders, each with the setting that names it."""
    return _load(paths, tuple(_modification_time(setting, path) for setting, path in paths))


def _modification_time(setting: str, path: str) -> int:
    try:
        return _expand(path).stat().st_mtime_ns
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _unreadable(setting, path, str(reason)) from None


def _expand(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~NAME, and there is no such user
        return Path(path)


@lru_cache(maxsize=16)  # loading the certificates of a system takes 15 ms
def _load(paths: tuple[tuple[str, str], ...], modified: tuple[int, ...]) -> ssl.SSLContext:  # noqa: ARG001 - a cache key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may hold the company's issuing CA without the root
    for setting, written in paths:
        path = _expand(written)
        if path.is_dir():
            if not _load_folder(context, path):
                raise _unreadable(setting, written, "the folder holds no certificates (.pem, .crt)")
        elif not _load_file(context, path):
            raise _unreadable(setting, written, "it is not a file of PEM certificates")
    return context


def _load_folder(context: ssl.SSLContext, folder: Path) -> bool:
    """Trust the certificates of a folder, whether or not OpenSSL's rehash gave the files their names; False if none."""
    context.load_verify_locations(capath=folder)
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    loaded = [_load_file(context, file) for file in files if file.suffix in {".pem", ".crt", ".cer"}]
    return any(loaded) or any(file.suffix.lstrip(".").isdigit() for file in files)  # rehash's names: 0a1b2c3d.0


def _load_file(context: ssl.SSLContext, file: Path) -> bool:
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


def _unreadable(setting: str, path: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The certificates of {setting} cannot be read: {path}: {reason}",
        remedy=f"Name an existing file or folder of CA certificates in {setting}, "
        "or unset it to trust the operating system's.",
        error_code="certificates-unreadable",
        facts={"setting": setting, "path": path},
    )


@lru_cache(maxsize=1)
def _system() -> ssl.SSLContext:
    """The context that trusts what the operating system trusts.

    On Windows and macOS truststore asks the system about each certificate. Elsewhere the system's store is a file or
    folder that OpenSSL reads; truststore would read it again for every connection, which takes 17 ms and a lock.
    """
    if sys.platform in {"win32", "darwin"}:
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    defaults = ssl.get_default_verify_paths()
    if defaults.cafile or (defaults.capath and any(Path(defaults.capath).glob("*.0"))):
        context.set_default_verify_paths()
        return context
    for file in _SYSTEM_FILES:
        if Path(file).is_file():
            context.load_verify_locations(cafile=file)
            return context
    import certifi  # a slim container without certificates of its own; httpx brings these

    context.load_verify_locations(cafile=certifi.where())
    return context


@lru_cache(maxsize=1)
def _unchecked_context() -> ssl.SSLContext:
    warn_once(
        "verify is False: certificates are not checked, so that anyone on the network can read the key and the "
        "prompts. Name your organisation's CA file in verify instead."
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""Tokens of a credential of the Azure SDK: any object with `get_token(scope)`, synchronous or asynchronous."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import trust
from ..endpoints import entra_scope
from ..errors import ConfigError, KeyNotFoundError
from ..secret import Secret
from ..text import one_line
from . import auth

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import LLMConfig
    from .auth import Credentials


def check_credential(credential: Any, *, is_async: bool) -> None:
    """Check that `credential` gives tokens; a client for event loops takes both kinds.

    Raises:
        ConfigError: It does not.
    """
    if not callable(getattr(credential, "get_token", None)):
        raise ConfigError(
            f"credential must have get_token(scope), which {type(credential).__name__} has not",
            remedy="Pass a credential of azure-identity.",
            error_code="credential-kind",
        )
    if inspect.iscoroutinefunction(credential.get_token) and not is_async:
        raise ConfigError(
            "The credential is asynchronous and the calls are not",
            remedy="Pass a credential of azure.identity, not of azure.identity.aio.",
            error_code="credential-kind",
        )


def resolve_with(credential: Any, config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
    """Look up the keys of a request, as `auth.resolve` does, with a token in the place of the config's key.

    Args:
        credential: Gives the token, and caches it.
        config: The config whose other key references to follow.
        url: Where the request goes.
        refused: Keys that the endpoint refused.

    Raises:
        ConfigError: The token would go over plain http to another machine, and the config does not allow it.
        KeyNotFoundError: The credential gives no token.
    """
    others = _other_keys(credential, config, url, refused=refused)
    try:
        return replace(others, key=_secret(credential.get_token(entra_scope(config.endpoint_url))))
    except Exception as error:
        raise _not_found(error) from error


async def aresolve_with(credential: Any, config: LLMConfig, url: str) -> Credentials:
    """Do what `resolve_with` does. A synchronous credential is asked in a thread."""
    others = _other_keys(credential, config, url)
    get_token: Callable[[str], Any] = credential.get_token
    scope = entra_scope(config.endpoint_url)
    try:
        if inspect.iscoroutinefunction(get_token):
            return replace(others, key=_secret(await get_token(scope)))
        return replace(others, key=_secret(await asyncio.to_thread(get_token, scope)))
    except Exception as error:
        raise _not_found(error) from error


def _other_keys(credential: Any, config: LLMConfig, url: str, *, refused: Credentials | None = None) -> Credentials:
    trust.check(config, credential=credential)
    auth.check_clear_text(config, url)
    return auth.resolve(config.merged(key=None, file=""), url, refused=refused)


def _secret(access_token: Any) -> Secret:
    secret = Secret(access_token.token)
    if not secret:
        raise ValueError("it is empty")
    return secret


def _not_found(error: Exception) -> KeyNotFoundError:
    return KeyNotFoundError(
        f"The credential gives no token: {one_line(str(error), 200)}",
        remedy="Sign in with `az login`, or check the credential.",
        error_code="no-token",
    )

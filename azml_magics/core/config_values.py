"""Reads the values of a config's fields as users give them. Each function raises ConfigError, in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from . import endpoints
from .errors import ConfigError, UnknownNameError


def read_api_type(given: Any, url: str) -> str:
    """Return "dedicated" or "serverless"; by default the type of the URL."""
    text = str(getattr(given, "value", given) or "").lower()
    if not text:
        return endpoints.api_type_of(url) if url else "dedicated"
    if text in {"dedicated", "realtime"}:
        return "dedicated"
    if text == "serverless":
        return "serverless"
    raise UnknownNameError.of("endpoint type", str(given), ("dedicated", "serverless"))


def read_mapping(name: str, given: Any) -> Mapping[Any, Any]:
    """Return a mapping; an empty one for None."""
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"{name} must be a dict, not {type(given).__name__}")
    return given or {}


def read_kwargs(given: Any) -> dict[str, Any]:
    """Return a copy of the kwargs as JSON data: tuples become lists, enum members their values."""
    kwargs = {}
    for name, value in read_mapping("model_kwargs", given).items():
        if not isinstance(name, str):
            raise ConfigError(f"The names of model kwargs must be strings, not {name!r}")
        try:
            kwargs[name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"The model kwarg {name!r} cannot be sent as JSON: {error}",
                remedy="Use strings, numbers, booleans, lists and dicts of them.",
            ) from None
    return kwargs


def read_seconds(name: str, given: Any) -> float:
    """Return a positive number of seconds."""
    try:
        seconds = float("nonsense" if isinstance(given, bool) else given)
    except OverflowError:
        seconds = 0
    except (TypeError, ValueError):
        raise ConfigError(f"{name} must be a number of seconds, not {given!r}") from None
    if not 0 < seconds < 1e6:  # noqa: PLR2004 - infinity and nonsense are refused alike
        raise ConfigError(f"{name} must be a positive number of seconds, not {given!r}")
    return seconds


def read_verify(given: Any) -> bool | str | None:
    """Return the path of CA certificates, False to check none, or None for the default."""
    if given is None or given is True or given == "":
        return None
    if given is False:
        return False
    if isinstance(given, str | os.PathLike):
        return os.fspath(given)
    raise ConfigError(
        f"verify must be the path of a CA file or folder, or False, not {type(given).__name__}",
        remedy="An ssl.SSLContext goes into the httpx client that a Client takes.",
    )

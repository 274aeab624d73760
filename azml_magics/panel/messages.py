"""Errors in the panel's words: what happened, and what to do with what the panel has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azml_magics.core import errors
from azml_magics.core.keys import KeyRef, is_answered
from azml_magics.core.text import one_line

if TYPE_CHECKING:
    from azml_magics.core.config import LLMConfig

_REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (errors.KeyNotFoundError, "Set it before starting Jupyter, or type the key into the one-time key box."),
    (errors.KeyRefusedError, "Write env:NAME, keyring:SERVICE/NAME, entra, ask or none."),
    (errors.AuthenticationError, "Check the key, and that it belongs to this endpoint."),
    (errors.PermissionDeniedError, "Check the key, and that it belongs to this endpoint."),
    (
        errors.UndefinedVariableError,
        "Type a value into its field, or define it in the notebook; {{name}} is literal.",
    ),
    (errors.Interrupted, "What had arrived is kept."),
)

_OF_THE_LINE = re.compile(r"(?<![\w-])(--[a-z]|-[a-zF]\b)|%azureml|%%")  # what speaks of a magic or its options


def in_words(error: BaseException) -> str:
    """One line: the cause, where it happened, and a remedy that does not speak of a magic's options."""
    if isinstance(error, errors.Interrupted):
        return "Stopped. What had arrived is kept." if error.response is not None else "Stopped before the first word."
    if not isinstance(error, errors.AzmlError):
        return one_line(f"{type(error).__name__}: {error}")
    cause = error.cause.rstrip(".") + _place(error)
    return one_line(f"{cause}. {_remedy(error)}".rstrip())


def _place(error: errors.AzmlError) -> str:
    place = {"deployment": error.deployment, "request": error.request_id}
    named = ", ".join(f"{what} {name}" for what, name in place.items() if name)
    return f" ({named})" if named else ""


def _remedy(error: errors.AzmlError) -> str:
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return remedy
    return "" if _OF_THE_LINE.search(error.remedy) else error.remedy


def key_sign(config: LLMConfig) -> tuple[bool | None, str]:
    """(whether the config's key is found - None where only a try can tell -, and that in words, with what to do)."""
    key = config.key
    if key is None:
        return True, "no key is sent"
    if not isinstance(key, KeyRef):
        return True, "in memory, for this session only"
    found = key.is_found()
    if found is not None:
        not_set = f"{key.name} is not set: set it before starting Jupyter, or type the key below"
        return found, f"{key.name} is set" if found else not_set
    if key.scheme == "ask":
        typed = is_answered(config.endpoint_url)
        return typed, "typed, for this session" if typed else "type the key below"
    return None, "a token is fetched when it is needed" if key.is_token else "is looked up when it is needed"

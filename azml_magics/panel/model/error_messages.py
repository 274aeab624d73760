"""Errors in the words of the panel: what happened, and what to do with the panel's own controls."""

from __future__ import annotations

import re

from azml_magics.core import errors
from azml_magics.core.text import one_line

_REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (errors.KeyNotFoundError, "Set it before starting Jupyter, or type the key into the API key field."),
    (errors.KeyRefusedError, "Write env:NAME, keyring:SERVICE/NAME, entra, ask or none."),
    (errors.AuthenticationError, "Check the key, and that it belongs to this endpoint."),
    (errors.PermissionDeniedError, "Check the key, and that it belongs to this endpoint."),
    (
        errors.UndefinedVariableError,
        "Type a value into its field, or define it in the notebook; {{name}} is literal.",
    ),
    (errors.Interrupted, "The text received so far is kept."),
)

_OF_THE_LINE = re.compile(r"(?<![\w-])(--[a-z]|-[a-zF]\b)|%azureml|%%")  # what speaks of a magic or its options


def describe_error(error: BaseException) -> str:
    """One line: the cause, the place, and a remedy that the panel offers."""
    if isinstance(error, errors.Interrupted):
        received = error.response is not None
        return "Stopped. The text received so far is kept." if received else "Stopped before any text arrived."
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

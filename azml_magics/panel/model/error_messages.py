"""Errors in the words of the panel: what happened, and what to do with the panel's own controls."""

from __future__ import annotations

from azml_magics.core import errors
from azml_magics.core.text import one_line

from ..remedies import panel_remedy


def describe_error(error: BaseException) -> str:
    """One line: the cause, the place, and a remedy that the panel offers."""
    if isinstance(error, errors.Interrupted):
        remedy = panel_remedy(error)
        return f"Stopped. {remedy}" if remedy else "Stopped before any text arrived."
    if not isinstance(error, errors.AzmlError):
        return one_line(f"{type(error).__name__}: {error}")
    cause = error.cause.rstrip(".") + _place(error)
    return one_line(f"{cause}. {panel_remedy(error)}".rstrip())


def _place(error: errors.AzmlError) -> str:
    place = {"deployment": error.deployment, "request": error.request_id}
    named = ", ".join(f"{what} {name}" for what, name in place.items() if name)
    return f" ({named})" if named else ""

"""The remedies of errors in the words of a front end."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - get_type_hints() needs it
from typing import Any

from ..text import one_line
from .base import AzmlError
from .run import Interrupted, RowsError


class _KnownFacts(dict[str, Any]):
    """Facts for `str.format_map`; a fact that is not known is left out."""

    def __missing__(self, name: str) -> str:
        return ""


def remedy_from(table: Mapping[str, str], error: AzmlError | Interrupted) -> str:
    """Return the remedy of `error` in a front end's words.

    Args:
        table: code -> template over the error's facts, such as "Wait {wait} seconds.".
        error: the error.

    Returns:
        The filled template, or the error's own remedy if the table has none for its code.
    """
    if isinstance(error, RowsError) and isinstance(error.__cause__, AzmlError):
        return f"{remedy_from(table, error.__cause__)} {error.kept}".strip()
    template = table.get(error.error_code)
    return error.remedy if template is None else one_line(template.format_map(_KnownFacts(error.facts)))

"""Names in a prompt that are nearly those of a column, and the error that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import UndefinedVariableError

if TYPE_CHECKING:
    from collections.abc import Sequence


def fold_name(name: str) -> str:
    """Return what a name has in common with those that differ by case, blanks and underscores only."""
    return "".join(name.split()).replace("_", "").casefold()


def make_column_error(name: str, near: str | None, known: Sequence[str], hint: str) -> UndefinedVariableError:
    error = UndefinedVariableError.of_rows(name, known)
    if near is not None:
        error.cause = f"The prompt uses {{{name}}}, and the table has the column {near!r}"
        error.remedy = f"Write {{{near}}}."
        error.error_code = "near-column"
    elif hint:
        error.remedy = hint
        error.error_code = "column-hint"
    error.args = (error.cause,)
    return error

"""Rows as a pandas DataFrame; pandas is optional and imported when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import MissingPackageError
from ..core.install_hint import package_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def make_data_frame(rows: Sequence[Mapping[str, Any]], without_pandas: str = "") -> Any:
    """Return a pandas DataFrame with a column for each key of the rows.

    Args:
        rows: The rows.
        without_pandas: A sentence that says how to get them without pandas, for the error.

    Raises:
        MissingPackageError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional
    except ImportError as error:
        raise MissingPackageError(
            "to_pandas() needs pandas", remedy=f"Run {package_command('pandas')}. {without_pandas}".strip()
        ) from error
    return pd.DataFrame(list(rows))
